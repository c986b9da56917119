locals {
  certificate_arn = var.certificate_arn == null ? one(module.certificate[*].arn) : var.certificate_arn

  # The contract with the orchestrator, schema 1: docs/reference/contract.schema.json. Names and ARNs only, never a secret.
  contract = {
    schema     = 1
    stack      = local.stack
    account_id = local.account_id
    region     = local.region
    cluster    = aws_ecs_cluster.this.name
    database = {
      instance         = module.postgres.instance
      host             = module.postgres.address
      port             = module.postgres.port
      admin_user       = var.postgres_admin_user
      admin_secret_arn = module.secrets.arns["admin"]
    }
    runner = { instance_id = local.runner_id }
    load_balancer = {
      arn      = module.load_balancer.arn
      dns_name = module.load_balancer.dns_name
      zone_id  = module.load_balancer.zone_id
    }
    certificate = { arn = local.certificate_arn }
    bucket      = module.storage.bucket
    redis = {
      replication_group = module.redis.replication_group
      host              = module.redis.host
      port              = module.redis.port
      auth_secret_arn   = module.secrets.arns["redis"]
    }
    vespa = { for name, vespa in module.vespa : name => {
      instance_id = vespa.instance_id
      host        = vespa.host
      port        = 8081
      config_port = 19071
    } }
    dns = var.dns
    tenants = { for name, tenant in local.tenants : name => {
      database         = tenant.database
      role             = tenant.role
      secret_arn       = module.secrets.arns["tenant-${name}"]
      service          = module.tenant[name].service
      hostname         = tenant.hostname
      target_group_arn = module.tenant[name].target_group_arn
      log_group        = module.tenant[name].log_group
      workers          = module.tenant[name].workers
      dns              = tenant.dns

      # Where they are another than the stack's.
      load_balancer = local.balancers[name] == 0 ? null : {
        arn      = module.further_load_balancer[tostring(local.balancers[name])].arn
        dns_name = module.further_load_balancer[tostring(local.balancers[name])].dns_name
        zone_id  = module.further_load_balancer[tostring(local.balancers[name])].zone_id
      }
      certificate = local.balancers[name] == 0 && local.arn_of[name] == local.certificate_arn ? null : { arn = local.arn_of[name] }

      index = contains(keys(local.with_opensearch), name) ? { opensearch = {
        instance_id = module.opensearch[name].instance_id
        host        = module.opensearch[name].host
        port        = 9200
        admin_user  = "admin"
        secret_arn  = module.secrets.arns["opensearch-${name}"]
      } } : null
    } }
  }
}

output "orchestrator" {
  description = "The contract, schema 1: everything that `orchestrate` needs to know about the stack."
  value       = local.contract
}

# The guide's own outputs, for its commands.

output "alb_dns_name" {
  description = "Name of the load balancer: new after each destroy and apply."
  value       = module.load_balancer.dns_name
}

output "postgres_endpoint" {
  description = "host:port. For POSTGRES_HOST, use postgres_address."
  value       = module.postgres.endpoint
}

output "postgres_address" {
  description = "Host of the database, without the port."
  value       = module.postgres.address
}

output "redis_endpoint" {
  description = "Host of the primary node."
  value       = module.redis.host
}

output "vespa_private_ip" {
  description = "Address of the runner's Vespa, null where it has none; every tenant's is in `orchestrator`."
  value       = contains(keys(local.with_vespa), local.runner) ? module.vespa[local.runner].host : null
}

output "ecs_cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "file_store_bucket" {
  description = "The S3 bucket of the uploaded documents."
  value       = module.storage.bucket
}

output "acm_validation_records" {
  description = "Records that validate the certificates. They stay the same after a destroy and apply, so leave them in DNS. Empty for a certificate of your own."
  value       = concat(flatten(module.certificate[*].validation_records), flatten([for made in module.further_certificate : made.validation_records]))
}
