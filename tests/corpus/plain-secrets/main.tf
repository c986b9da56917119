# Every password stands in clear: in the task's environment, in a variable's value, in the state.

variable "admin_password" {
  type    = string
  default = "obviously-fake-admin-password"
}

module "base" {
  source = "../shared/base"
  name   = "plain"
}

resource "aws_db_instance" "main" {
  identifier             = "plain"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "onyx"
  password               = var.admin_password
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
  name = "plain"
}

module "acme" {
  source       = "../shared/site"
  name         = "acme"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  hosts        = ["acme.vigilon.app"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.main.address
    POSTGRES_DB       = "acme"
    POSTGRES_USER     = "acme_app"
    POSTGRES_PASSWORD = "obviously-fake-acme-password"
    VESPA_HOST        = aws_instance.vespa.private_dns
  }
}
