# A later Onyx: no Vespa, and so no instance at all. The database is reached directly, or not.

module "base" {
  source = "../shared/base"
  name   = "light"
}

resource "aws_db_instance" "main" {
  identifier                  = "light"
  engine                      = "postgres"
  instance_class              = "db.t4g.small"
  allocated_storage           = 20
  username                    = "light_root"
  manage_master_user_password = true
  vpc_security_group_ids      = [module.base.groups.data]
  skip_final_snapshot         = true
}

resource "aws_secretsmanager_secret" "app" {
  name = "light/app"
}

resource "aws_secretsmanager_secret_version" "app" {
  secret_id     = aws_secretsmanager_secret.app.id
  secret_string = jsonencode({ username = "light_app", password = "obviously-fake-light-password" })
}

resource "aws_ecs_cluster" "main" {
  name = "light-cluster"
}

module "site" {
  source       = "../shared/site"
  name         = "light-service"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  hosts        = ["light.vigilon.app"]

  environment = {
    POSTGRES_HOST = aws_db_instance.main.address
    POSTGRES_DB   = "light"
  }
  secrets = {
    POSTGRES_USER     = "${aws_secretsmanager_secret.app.arn}:username::"
    POSTGRES_PASSWORD = "${aws_secretsmanager_secret.app.arn}:password::"
  }
}
