# Where to start for a stack that holds data: everything that guards it is on by default.

region     = "us-west-2"
account_id = "123456789012"

tenants = {
  customer-a = {
    slot     = 0
    hostname = "demo.vigilon.app"
  }
}

certificate_arn = "arn:aws:acm:us-west-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"

dns = {
  provider = "porkbun"
  zone     = "vigilon.app"
  ttl      = 600
}

postgres_multi_az = true
