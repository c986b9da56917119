module "base" {
  source = "../../../../shared/base"
  name   = "nested"
}

resource "aws_db_instance" "primary" {
  identifier              = "nested-primary"
  engine                  = "postgres"
  instance_class          = "db.t4g.small"
  allocated_storage       = 20
  username                = "nested_root"
  password                = "obviously-fake-nested-password"
  vpc_security_group_ids  = [module.base.groups.data]
  skip_final_snapshot     = true
  backup_retention_period = 1
}

resource "aws_db_instance" "reporting" {
  identifier             = "nested-reporting"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "reporting_root"
  password               = "obviously-fake-reporting-password"
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

resource "aws_ecs_cluster" "this" {
  name = "nested"
}

resource "aws_acm_certificate" "this" {
  domain_name       = "*.nested.example"
  validation_method = "DNS"
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = module.base.lb_arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.this.arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_route53_zone" "this" {
  name = "nested.example"
}

data "aws_lb" "this" {
  arn = module.base.lb_arn
}

resource "aws_route53_record" "site" {
  zone_id = aws_route53_zone.this.zone_id
  name    = "chat.nested.example"
  type    = "A"

  alias {
    name                   = data.aws_lb.this.dns_name
    zone_id                = data.aws_lb.this.zone_id
    evaluate_target_health = false
  }
}

module "chat" {
  source       = "../../../../shared/site"
  name         = "nested-chat"
  cluster      = aws_ecs_cluster.this.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = aws_lb_listener.https.arn
  hosts        = ["chat.nested.example"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.primary.address
    POSTGRES_DB       = "chat"
    POSTGRES_USER     = "nested_root"
    POSTGRES_PASSWORD = "obviously-fake-nested-password"
    VESPA_HOST        = aws_instance.vespa.private_ip
  }
}
