data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

locals {
  stack      = "${var.name}-${var.environment}"
  account_id = data.aws_caller_identity.this.account_id
  region     = data.aws_region.this.id # not `name`, which version 6 of the provider deprecates

  versions = { for name, tenant in var.tenants : name => coalesce(tenant.onyx_version, var.onyx_version) }
  majors   = { for name, version in local.versions : name => tonumber(regex("^v?([234])", version)[0]) }
  usual    = { 2 = "vespa", 3 = "both", 4 = "opensearch" } # the index that a version needs, unless something else is said
  indexes  = { for name, tenant in var.tenants : name => coalesce(tenant.index, var.index, local.usual[local.majors[name]]) }

  tenants = { for name, tenant in var.tenants : name => merge(tenant, {
    database = coalesce(tenant.database, "onyx_${replace(name, "-", "_")}")
    role     = coalesce(tenant.role, tenant.database, "onyx_${replace(name, "-", "_")}")
    cpu      = coalesce(tenant.cpu, 1024)
    memory   = coalesce(tenant.memory, 3072)
  }) }

  with_vespa      = { for name, tenant in local.tenants : name => tenant if contains(["vespa", "both"], local.indexes[name]) }
  with_opensearch = { for name, tenant in local.tenants : name => tenant if contains(["opensearch", "both"], local.indexes[name]) }

  # SSM commands run on the instance of an index, the lowest slot's; where there is none, on a small one of their own.
  slots  = { for name in setunion(keys(local.with_vespa), keys(local.with_opensearch)) : local.tenants[name].slot => name }
  lowest = length(local.slots) == 0 ? "" : local.slots[min(keys(local.slots)...)]
  runner = coalesce(var.runner_tenant, local.lowest, "none")
  alone  = !contains(keys(local.with_vespa), local.runner) && !contains(keys(local.with_opensearch), local.runner)

  # Slots, which a tenant keeps, say where it is: nobody moves when another one comes or goes.
  balancers = { for name, tenant in local.tenants : name => coalesce(tenant.load_balancer, floor(tenant.slot / var.tenants_per_load_balancer)) }
  further   = toset([for number in distinct(values(local.balancers)) : tostring(number) if number != 0])

  # As many names as one certificate takes are in one, whatever their slots; of more, those of ten slots in a row.
  together     = length(var.tenants) <= var.names_per_certificate
  certificates = { for name, tenant in local.tenants : name => local.together ? 0 : floor(tenant.slot / var.names_per_certificate) }
  bundles = var.certificate_arn != null ? {} : var.certificate_names != null ? { "0" = sort(var.certificate_names) } : {
    for number in distinct(values(local.certificates)) : tostring(number) => sort([
      for name, tenant in local.tenants : tenant.hostname if local.certificates[name] == number
    ])
  }
  lowest_bundle = length(local.bundles) == 0 ? null : tostring(min([for number in keys(local.bundles) : tonumber(number)]...))

  # By tenant the certificate for its name; by load balancer those that it needs, the first as its default.
  certificate_arns = merge(
    local.lowest_bundle == null ? {} : { (local.lowest_bundle) = one(module.certificate[*].arn) },
    { for number, made in module.further_certificate : number => made.arn },
  )
  bundle_of = { for name in keys(local.tenants) : name => (
    var.certificate_names != null ? "0" : tostring(local.certificates[name])
  ) }
  bundles_of = { for balancer in distinct(values(local.balancers)) : tostring(balancer) => distinct([
    for number in sort([for name, at in local.balancers : format("%06d", tonumber(local.bundle_of[name])) if at == balancer]) : tostring(tonumber(number))
  ]) if var.certificate_arn == null }

  # The certificate for each tenant's name; and by load balancer, beside its default one, those of its other tenants.
  arn_of = { for name in keys(local.tenants) : name => var.certificate_arn == null ? local.certificate_arns[local.bundle_of[name]] : var.certificate_arn }
  beside = { for balancer in setunion(["0"], local.further) : balancer => {
    for number in lookup(local.bundles_of, balancer, []) : number => local.certificate_arns[number]
    if number != (balancer == "0" ? local.lowest_bundle : local.bundles_of[balancer][0])
  } }

  runner_id = (
    local.alone ? module.runner[0].instance_id :
    contains(keys(local.with_vespa), local.runner) ? module.vespa[local.runner].instance_id :
    module.opensearch[local.runner].instance_id
  )
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
    { for name in keys(local.with_opensearch) : "opensearch-${name}" => "admin" },
  )
  strict = [for name in keys(local.with_opensearch) : "opensearch-${name}"]

  # Sessions and reset links are signed with a tenant's own: made once, and a backup keeps it.
  tokens = concat(["redis"], [for name, major in local.majors : "user-auth-${name}" if major > 2])
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

  hostnames = try(local.bundles[local.lowest_bundle], [])
  wait      = var.wait_for_certificate
  publish   = local.publish
}

# ACM's quota is 10 names a certificate: each ten more tenants have one of their own, beside the first one (SNI).
module "further_certificate" {
  source   = "./modules/certificate"
  for_each = { for number, names in local.bundles : number => names if number != local.lowest_bundle }

  hostnames = each.value
  wait      = var.wait_for_certificate
  publish   = local.publish
}

locals {
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
  further             = local.beside["0"]
  deletion_protection = var.deletion_protection
}

# A load balancer ends at 100 target groups: each ninety slots more have one of their own.
module "further_load_balancer" {
  source   = "./modules/load_balancer"
  for_each = local.further

  name                = "${local.stack}-alb-${each.key}"
  subnet_ids          = module.network.public_subnet_ids
  security_group_id   = module.network.load_balancer_security_group_id
  certificate_arn     = var.certificate_arn == null ? local.certificate_arns[local.bundles_of[each.key][0]] : var.certificate_arn
  further             = local.beside[each.key]
  deletion_protection = var.deletion_protection
}

# One Vespa per tenant: the index has no notion of tenants, and each tenant's api deploys its own application package into it.
module "vespa" {
  source   = "./modules/index"
  for_each = local.with_vespa

  kind = "vespa"

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

# One OpenSearch per tenant too: its indexes are called after the embedding model, whoever's they are.
module "opensearch" {
  source   = "./modules/index"
  for_each = local.with_opensearch

  kind = "opensearch"

  name              = "${local.stack}-opensearch-${each.key}"
  role_name         = "${local.stack}-opensearch-${each.key}"
  vpc_id            = module.network.vpc_id
  subnet            = module.network.task_subnets[0]
  instance_type     = var.opensearch_instance_type
  volume_gb         = var.opensearch_volume_gb
  snapshot          = lookup(var.opensearch_snapshots, each.key, null)
  image             = "opensearchproject/opensearch:${var.opensearch_version}"
  heap_gb           = var.opensearch_heap_gb
  secret_arn        = module.secrets.arns["opensearch-${each.key}"]
  runner            = each.key == local.runner && !contains(keys(local.with_vespa), each.key)
  secret_arns       = values(module.secrets.arns)
  postgres_group_id = module.network.postgres_security_group_id
  redis_group_id    = module.network.redis_security_group_id
}

# Where no index has an instance, commands run on a small one that does nothing else.
module "runner" {
  source = "./modules/runner"
  count  = local.alone ? 1 : 0

  name              = "${local.stack}-runner"
  vpc_id            = module.network.vpc_id
  subnet            = module.network.task_subnets[0]
  instance_type     = var.runner_instance_type
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
  background  = each.value.background
  major       = local.majors[each.key]
  extra       = each.value.environment
  log_prefix  = var.log_prefix

  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.task_subnets[*].id
  public_address = !var.nat_gateway
  allow = {
    load_balancer = module.network.load_balancer_security_group_id
    postgres      = module.network.postgres_security_group_id
    redis         = module.network.redis_security_group_id
    vespa         = contains(keys(local.with_vespa), each.key) ? module.vespa[each.key].security_group_id : null
    opensearch    = contains(keys(local.with_opensearch), each.key) ? module.opensearch[each.key].security_group_id : null
  }

  listener_arn      = local.balancers[each.key] == 0 ? module.load_balancer.listener_arn : module.further_load_balancer[tostring(local.balancers[each.key])].listener_arn
  listener_priority = 100 + each.value.slot

  images = {
    backend = "onyxdotapp/onyx-backend:${local.versions[each.key]}"
    web     = "onyxdotapp/onyx-web-server:${local.versions[each.key]}"
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
  vespa = contains(keys(local.with_vespa), each.key) ? { host = module.vespa[each.key].host } : null
  opensearch = contains(keys(local.with_opensearch), each.key) ? {
    host       = module.opensearch[each.key].host
    secret_arn = module.secrets.arns["opensearch-${each.key}"]
  } : null
  user_auth_secret_arn = local.majors[each.key] > 2 ? module.secrets.arns["user-auth-${each.key}"] : null
  bucket               = { name = module.storage.bucket, arn = module.storage.arn }
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
  depends_on = [module.tenant, module.vespa, module.opensearch, module.runner, module.load_balancer, module.further_load_balancer, module.network, module.secrets]
}
