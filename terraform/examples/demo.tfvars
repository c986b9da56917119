# The guide's stack with two tenants, made to be thrown away: apply, destroy, apply again.

region = "us-west-2"

tenants = {
  customer-a = {
    slot     = 0
    hostname = "demo.vigilon.app"
  }
  customer-b = {
    slot     = 1
    hostname = "customer-b.vigilon.app"
  }
}

dns = {
  provider = "route53"
  zone     = "vigilon.app"
  ttl      = 60
}

# A stack with data in it keeps the defaults of these.
deletion_protection     = false
postgres_final_snapshot = false
bucket_force_destroy    = true
secret_recovery_days    = 0

# The local cloud's listener takes a pending certificate; real AWS does not.
wait_for_certificate = false
