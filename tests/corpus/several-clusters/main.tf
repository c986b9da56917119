# Production and staging in one state: two of everything. Nothing says which of them is meant.

locals {
  stages = toset(["production", "staging"])
}

module "base" {
  source   = "../shared/base"
  for_each = local.stages
  name     = each.key
}

resource "aws_db_instance" "this" {
  for_each = local.stages

  identifier             = "onyx-${each.key}"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "onyx_root"
  password               = "obviously-fake-${each.key}-password"
  vpc_security_group_ids = [module.base[each.key].groups.data]
  skip_final_snapshot    = true
}

resource "aws_instance" "vespa" {
  for_each = local.stages

  ami                    = module.base[each.key].image
  instance_type          = "t3.large"
  subnet_id              = module.base[each.key].subnet_ids[0]
  vpc_security_group_ids = [module.base[each.key].groups.tools]
  iam_instance_profile   = module.base[each.key].profile
}

resource "aws_ecs_cluster" "this" {
  for_each = local.stages
  name     = "onyx-${each.key}"
}

module "site" {
  source   = "../shared/site"
  for_each = local.stages

  name         = "onyx-${each.key}"
  cluster      = aws_ecs_cluster.this[each.key].arn
  vpc_id       = module.base[each.key].vpc_id
  subnet_ids   = module.base[each.key].subnet_ids
  role_arn     = module.base[each.key].role_arn
  listener_arn = module.base[each.key].listener_arn
  hosts        = ["${each.key}.vigilon.app"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.this[each.key].address
    POSTGRES_DB       = "onyx"
    POSTGRES_USER     = "onyx_root"
    POSTGRES_PASSWORD = "obviously-fake-${each.key}-password"
    VESPA_HOST        = aws_instance.vespa[each.key].private_ip
  }
}
