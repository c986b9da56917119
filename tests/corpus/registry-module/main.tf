# Written as with the well-known registry modules: `this[0]`, maps of services and rules, weighted forwards.

module "base" {
  source = "../shared/base"
  name   = "registry"
}

module "rds" {
  source = "./modules/rds"

  identifier = "registry-db"
  username   = "dbadmin"
  group_id   = module.base.groups.data
}

module "alb" {
  source = "./modules/alb"

  name       = "registry-alb"
  vpc_id     = module.base.vpc_id
  subnet_ids = module.base.subnet_ids
  rules      = { customer-x = "x.vigilon.app", customer-y = "y.vigilon.app" }
}

module "ecs" {
  source = "./modules/ecs"

  cluster_name = "registry-ecs"
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  services = { for key, group in module.alb.target_groups : key => {
    target_group_arn = group
    environment = {
      POSTGRES_HOST = module.rds.db_instance_address
      POSTGRES_DB   = replace(key, "-", "_")
      POSTGRES_USER = "dbadmin"
      REDIS_HOST    = "redis.registry.internal"
      VESPA_HOST    = module.vespa.private_ip
    }
    secrets = { POSTGRES_PASSWORD = "${module.rds.db_instance_master_user_secret_arn}:password::" }
  } }
}

module "vespa" {
  source = "./modules/instance"

  image     = module.base.image
  subnet_id = module.base.subnet_ids[0]
  group_id  = module.base.groups.tools
  profile   = module.base.profile
}

output "alb" {
  value = { dns_name = module.alb.dns_name, target_groups = module.alb.target_groups }
}

output "database" {
  value = { endpoint = module.rds.db_instance_endpoint, name = "registry" }
}
