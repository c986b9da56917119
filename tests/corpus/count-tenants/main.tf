# Tenants by count, names unlike ours, passwords in SSM parameters of which the tasks know names or ARNs.

locals {
  customers = ["Alpha", "Beta"]
}

module "base" {
  source = "../shared/base"
  name   = "counted"
}

resource "aws_db_instance" "pg" {
  count = 1

  identifier             = "counted-pg"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "root_user"
  password               = "obviously-fake-root-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_ssm_parameter" "admin" {
  name  = "/counted/admin"
  type  = "SecureString"
  value = "obviously-fake-root-password"
}

resource "aws_ssm_parameter" "customer" {
  count = length(local.customers)

  name  = "/counted/customer-${count.index}"
  type  = "SecureString"
  value = "obviously-fake-customer-password-${count.index}"
}

resource "aws_instance" "index" {
  count = length(local.customers)

  ami                    = module.base.image
  instance_type          = "t3.large"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = count.index == 0 ? [module.base.groups.tools] : [module.base.groups.app]
  iam_instance_profile   = module.base.profile
}

resource "aws_ecs_cluster" "this" {
  name = "chat"
}

module "customer" {
  source = "../shared/site"
  count  = length(local.customers)

  name         = "chat-${lower(local.customers[count.index])}"
  cluster      = aws_ecs_cluster.this.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  priority     = 10 + count.index
  hosts        = ["${local.customers[count.index]}.Vigilon.app"]

  environment = {
    POSTGRES_HOST = aws_db_instance.pg[0].address
    POSTGRES_DB   = "chat_${count.index}"
    POSTGRES_USER = "chat_${count.index}"
    VESPA_HOST    = aws_instance.index[count.index].private_ip
  }
  secrets = {
    POSTGRES_PASSWORD = count.index == 0 ? aws_ssm_parameter.customer[0].arn : aws_ssm_parameter.customer[count.index].name
  }
}
