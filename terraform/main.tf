data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

locals {
  stack      = "${var.name}-${var.environment}"
  account_id = data.aws_caller_identity.this.account_id
  region     = data.aws_region.this.name

  tenants = { for name, tenant in var.tenants : name => merge(tenant, {
    database = coalesce(tenant.database, "onyx_${replace(name, "-", "_")}")
    role     = coalesce(tenant.role, tenant.database, "onyx_${replace(name, "-", "_")}")
  }) }

  slots  = { for name, tenant in var.tenants : tenant.slot => name }
  runner = coalesce(var.runner_tenant, local.slots[min(keys(local.slots)...)])
}

module "network" {
  source = "./modules/network"

  name        = local.stack
  cidr        = var.vpc_cidr
  region      = local.region
  nat_gateway = var.nat_gateway
}

module "secrets" {
  source = "./modules/secrets"

  name          = local.stack
  recovery_days = var.secret_recovery_days
  logins = merge(
    { admin = var.postgres_admin_user },
    { for name, tenant in local.tenants : "tenant-${name}" => tenant.role },
  )
  tokens = ["redis"]
}

# Only subnets, a security group and the admin secret come before the database: it takes longest.
module "postgres" {
  source = "./modules/postgres"

  name                = "${local.stack}-postgres"
  engine_version      = var.postgres_version
  instance_class      = var.postgres_instance_class
  storage_gb          = var.postgres_storage_gb
  multi_az            = var.postgres_multi_az
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.postgres_security_group_id
  admin_user          = var.postgres_admin_user
  admin_secret_id     = module.secrets.arns["admin"]
  snapshot            = var.postgres_snapshot
  final_snapshot      = var.postgres_final_snapshot
  deletion_protection = var.deletion_protection
}

module "redis" {
  source = "./modules/redis"

  name              = "${local.stack}-redis"
  node_type         = var.redis_node_type
  parameter_group   = var.redis_parameter_group
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.redis_security_group_id
}

module "storage" {
  source = "./modules/storage"

  # The account's number makes the name globally unique, and the same again after destroy and apply.
  bucket        = "${local.stack}-file-store-${local.account_id}"
  force_destroy = var.bucket_force_destroy
}

module "certificate" {
  source = "./modules/certificate"
  count  = var.certificate_arn == null ? 1 : 0

  hostnames = sort([for tenant in var.tenants : tenant.hostname])
  wait      = var.wait_for_certificate
  publish = var.wait_for_certificate && var.publish_certificate && var.dns != null ? {
    command    = var.orchestrate_command
    region     = local.region
    account_id = local.account_id
    dns        = var.dns
    names      = { for tenant in var.tenants : tenant.hostname => tenant.dns if tenant.dns != null }
  } : null
}

module "load_balancer" {
  source = "./modules/load_balancer"

  name                = "${local.stack}-alb"
  subnet_ids          = module.network.public_subnet_ids
  security_group_id   = module.network.load_balancer_security_group_id
  certificate_arn     = local.certificate_arn
  deletion_protection = var.deletion_protection
}

# One Vespa per tenant: the index has no notion of tenants, and each tenant's api deploys its own application package into it.
module "vespa" {
  source   = "./modules/vespa"
  for_each = local.tenants

  # The runner has the guide's name, so that its commands find it.
  name              = each.key == local.runner ? "${local.stack}-vespa" : "${local.stack}-vespa-${each.key}"
  role_name         = "${local.stack}-vespa-${each.key}"
  vpc_id            = module.network.vpc_id
  subnet            = module.network.task_subnets[0]
  instance_type     = var.vespa_instance_type
  volume_gb         = var.vespa_volume_gb
  snapshot          = lookup(var.vespa_snapshots, each.key, null)
  image             = "vespaengine/vespa:${var.vespa_version}"
  runner            = each.key == local.runner
  secret_arns       = values(module.secrets.arns)
  postgres_group_id = module.network.postgres_security_group_id
  redis_group_id    = module.network.redis_security_group_id
}

resource "aws_ecs_cluster" "this" {
  name = "${local.stack}-cluster"
}

module "tenant" {
  source   = "./modules/tenant"
  for_each = local.tenants

  name        = each.key
  stack       = local.stack
  environment = var.environment
  region      = local.region
  cluster_arn = aws_ecs_cluster.this.arn
  hostname    = each.value.hostname
  cpu         = each.value.cpu
  memory      = each.value.memory
  extra       = each.value.environment
  log_prefix  = var.log_prefix

  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.task_subnets[*].id
  public_address = !var.nat_gateway
  allow = {
    load_balancer = module.network.load_balancer_security_group_id
    postgres      = module.network.postgres_security_group_id
    redis         = module.network.redis_security_group_id
    vespa         = module.vespa[each.key].security_group_id
  }

  listener_arn      = module.load_balancer.listener_arn
  listener_priority = 100 + each.value.slot

  images = {
    backend = "onyxdotapp/onyx-backend:${var.onyx_version}"
    web     = "onyxdotapp/onyx-web-server:${var.onyx_version}"
    nginx   = "nginx:${var.nginx_version}"
  }

  postgres = {
    host       = module.postgres.address
    port       = module.postgres.port
    database   = each.value.database
    secret_arn = module.secrets.arns["tenant-${each.key}"]
  }
  redis = {
    host           = module.redis.host
    port           = module.redis.port
    secret_arn     = module.secrets.arns["redis"]
    first_database = 3 * each.value.slot
  }
  vespa  = { host = module.vespa[each.key].host }
  bucket = { name = module.storage.bucket, arn = module.storage.arn }
}

# A zone inside the stack would get new name servers at each cycle, so it is only looked up: if it is missing, that is
# found before anything is built. Its records are managed by the orchestrator.
data "aws_route53_zone" "this" {
  count = try(var.dns.provider, "") == "route53" ? 1 : 0

  name         = var.dns.zone
  private_zone = false
}

module "orchestrate" {
  source = "../hooks/terraform_data"
  count  = var.run_orchestrate ? 1 : 0

  command  = var.orchestrate_command
  contract = local.contract

  # The contract names the services and the instances; these make it wait for resources that only accompany them.
  depends_on = [module.tenant, module.vespa, module.load_balancer, module.network, module.secrets]
}
