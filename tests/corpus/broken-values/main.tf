# What the guide warns of, and more: POSTGRES_HOST with the port in it, one database for two tenants, no POSTGRES_DB,
# two names in one rule, a wildcard, a password that is nowhere.

module "base" {
  source = "../shared/base"
  name   = "broken"
}

resource "aws_db_instance" "main" {
  identifier             = "broken"
  engine                 = "postgres"
  instance_class         = "db.t4g.micro"
  allocated_storage      = 20
  username               = "onyx_root"
  password               = "obviously-fake-broken-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_instance" "vespa" {
  ami                    = module.base.image
  instance_type          = "t3.large"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile
}

resource "aws_ecs_cluster" "main" {
  name = "broken"
}

locals {
  tenants = {
    shares-one = { database = { POSTGRES_DB = "onyx" }, hosts = ["one.vigilon.app", "www.one.vigilon.app"] }
    shares-two = { database = { POSTGRES_DB = "onyx" }, hosts = ["two.vigilon.app"] }
    default-db = { database = {}, hosts = ["*.three.vigilon.app"] }
  }
}

module "site" {
  source   = "../shared/site"
  for_each = local.tenants

  name         = "broken-${each.key}"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  priority     = 10 + index(keys(local.tenants), each.key)
  hosts        = each.value.hosts

  environment = merge({
    POSTGRES_HOST = aws_db_instance.main.endpoint
    POSTGRES_USER = "onyx_root"
    VESPA_HOST    = aws_instance.vespa.private_ip
  }, each.value.database)
}
