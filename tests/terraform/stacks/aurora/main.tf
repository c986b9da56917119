# A clinic's Django on Aurora, as many have it: nothing here is Onyx's, and nothing was made for the orchestrator.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

locals {
  host = "clinic.vigilon.app"
}

module "base" {
  source = "../shared/base"
  name   = "clinic"
}

data "aws_route53_zone" "main" {
  name = "vigilon.app"
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "secrets" {
  for_each = toset(["clinic-tasks", "clinic-tools"])

  name       = "secrets"
  role       = each.value
  policy     = data.aws_iam_policy_document.secrets.json
  depends_on = [module.base]
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = "clinic-tasks"
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
  depends_on = [module.base]
}

resource "aws_rds_cluster" "main" {
  cluster_identifier          = "clinic"
  engine                      = "aurora-postgresql"
  engine_version              = "16.6"
  master_username             = "surgeon"
  manage_master_user_password = true
  storage_encrypted           = true
  vpc_security_group_ids      = [module.base.groups.data]
  skip_final_snapshot         = true
}

resource "aws_rds_cluster_instance" "writer" {
  identifier         = "clinic-1"
  cluster_identifier = aws_rds_cluster.main.cluster_identifier
  engine             = aws_rds_cluster.main.engine
  engine_version     = aws_rds_cluster.main.engine_version
  instance_class     = "db.t4g.medium"
}

resource "aws_secretsmanager_secret" "django" {
  name = "clinic/django"
}

resource "aws_secretsmanager_secret_version" "django" {
  secret_id     = aws_secretsmanager_secret.django.id
  secret_string = jsonencode({ password = "obviously-fake-clinic-password", secret_key = "obviously-fake-django-key" })
}

resource "aws_instance" "tools" {
  ami                    = module.base.image
  instance_type          = "t3.micro"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile

  user_data = <<-SCRIPT
    #!/bin/bash
    dnf install -y postgresql16
  SCRIPT
}

resource "aws_vpc_security_group_ingress_rule" "visitors" {
  security_group_id = module.base.groups.app
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 8000
  to_port           = 8000
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = module.base.groups

  security_group_id = each.value
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_acm_certificate" "main" {
  domain_name       = local.host
  validation_method = "DNS"
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = module.base.lb_arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.main.arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.django.arn
  }
}

resource "aws_lb_target_group" "django" {
  name        = "clinic-django"
  port        = 8000
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = module.base.vpc_id

  health_check {
    path     = "/healthz/"
    interval = 10
    timeout  = 5
  }
}

resource "aws_ecs_cluster" "main" {
  name = "clinic"
}

resource "aws_cloudwatch_log_group" "django" {
  name = "/ecs/clinic"
}

resource "aws_ecs_task_definition" "django" {
  family                   = "clinic"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "1024"
  execution_role_arn       = module.base.role_arn
  task_role_arn            = module.base.role_arn

  container_definitions = jsonencode([{
    name         = "django"
    image        = "registry.example/clinic:3.4.1"
    essential    = true
    portMappings = [{ containerPort = 8000, hostPort = 8000, protocol = "tcp" }]
    environment = [
      { name = "DB_HOST", value = aws_rds_cluster.main.endpoint },
      { name = "DB_NAME", value = "clinic" },
      { name = "DB_USER", value = "clinic_app" },
    ]
    secrets = [{ name = "DB_PASSWORD", valueFrom = "${aws_secretsmanager_secret.django.arn}:password::" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.django.name
        "awslogs-region"        = "us-west-2"
        "awslogs-stream-prefix" = "ecs"
      }
    }
  }])
}

resource "aws_ecs_service" "django" {
  name            = "clinic"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.django.arn
  launch_type     = "FARGATE"
  desired_count   = 1

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = module.base.subnet_ids
    security_groups  = [module.base.groups.app]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.django.arn
    container_name   = "django"
    container_port   = 8000
  }

  depends_on = [aws_lb_listener.https]
}
