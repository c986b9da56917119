# A hundred tenants on one of everything, made by for_each over a map.

locals {
  tenants = { for number in range(100) : format("t%02d", number) => number }
}

module "base" {
  source = "../shared/base"
  name   = "many"
}

resource "aws_db_instance" "main" {
  identifier             = "many"
  engine                 = "postgres"
  instance_class         = "db.m7g.large"
  allocated_storage      = 100
  username               = "many_root"
  password               = "obviously-fake-many-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_instance" "vespa" {
  ami                    = module.base.image
  instance_type          = "r7i.2xlarge"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile
}

resource "aws_ecs_cluster" "main" {
  name = "many"
}

module "tenant" {
  source   = "../shared/site"
  for_each = local.tenants

  name         = "onyx-${each.key}"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  priority     = 1 + each.value
  hosts        = ["${each.key}.vigilon.app"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.main.address
    POSTGRES_DB       = "onyx_${each.key}"
    POSTGRES_USER     = "onyx_${each.key}"
    POSTGRES_PASSWORD = "obviously-fake-${each.key}-password"
    VESPA_HOST        = aws_instance.vespa.private_ip
  }
}
