# One tenant and no host rule: the listener sends everything to it. RDS keeps the admin's password in a secret itself.

module "base" {
  source = "../shared/base"
  name   = "single"
}

resource "aws_db_instance" "main" {
  identifier                  = "single"
  engine                      = "postgres"
  instance_class              = "db.t4g.small"
  allocated_storage           = 20
  username                    = "postgres"
  manage_master_user_password = true
  vpc_security_group_ids      = [module.base.groups.data]
  skip_final_snapshot         = true
}

resource "aws_instance" "vespa" {
  ami                    = module.base.image
  instance_type          = "t3.large"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile
}

resource "aws_ecs_cluster" "main" {
  name = "single"
}

resource "aws_lb_listener" "site" {
  load_balancer_arn = module.base.lb_arn
  port              = 8443
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = module.onyx.target_group_arn
  }
}

module "onyx" {
  source     = "../shared/site"
  name       = "onyx"
  cluster    = aws_ecs_cluster.main.name
  vpc_id     = module.base.vpc_id
  subnet_ids = module.base.subnet_ids
  role_arn   = module.base.role_arn

  environment = {
    POSTGRES_HOST = aws_db_instance.main.address
    POSTGRES_DB   = "onyx"
    VESPA_HOST    = aws_instance.vespa.private_ip
    WEB_DOMAIN    = "https://onyx.vigilon.app"
  }
  secrets = {
    POSTGRES_USER     = "${aws_db_instance.main.master_user_secret[0].secret_arn}:username::"
    POSTGRES_PASSWORD = "${aws_db_instance.main.master_user_secret[0].secret_arn}:password::"
  }
}
