# An apply that failed half way: the database and the cluster are there, nothing that a visitor could reach.

module "base" {
  source = "../shared/base"
  name   = "half"
}

resource "aws_db_instance" "main" {
  identifier             = "half"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "onyx_root"
  password               = "obviously-fake-half-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_ecs_cluster" "main" {
  name = "half"
}

resource "terraform_data" "quota" {
  depends_on = [aws_db_instance.main, aws_ecs_cluster.main]

  provisioner "local-exec" {
    command = "echo 'the quota is used up' >&2; exit 1"
  }
}

module "site" {
  source       = "../shared/site"
  name         = "half"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  hosts        = ["half.vigilon.app"]

  environment = {
    POSTGRES_HOST = aws_db_instance.main.address
    POSTGRES_DB   = "half"
    VESPA_HOST    = terraform_data.quota.id
  }
}
