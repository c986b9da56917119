# A stack as the guide's origin has it: flat outputs, the admin's password in a variable, one tenant that signs in as
# the admin. Nothing here was made for the orchestrator.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "postgres_password" {
  type      = string
  sensitive = true
}

variable "redis_auth_token" {
  type      = string
  sensitive = true
}

variable "hostname" {
  type    = string
  default = "demo.vigilon.app"
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_route53_zone" "main" {
  name = "vigilon.app"
}

resource "aws_security_group" "alb" {
  name   = "onyx-prod-alb"
  vpc_id = data.aws_vpc.default.id

  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "ecs" {
  name   = "onyx-prod-ecs"
  vpc_id = data.aws_vpc.default.id

  ingress {
    from_port       = 80
    to_port         = 80
    protocol        = "tcp"
    security_groups = [aws_security_group.alb.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "vespa" {
  name   = "onyx-prod-vespa"
  vpc_id = data.aws_vpc.default.id

  ingress {
    from_port       = 8081
    to_port         = 8081
    protocol        = "tcp"
    security_groups = [aws_security_group.ecs.id]
  }

  ingress {
    from_port       = 19071
    to_port         = 19071
    protocol        = "tcp"
    security_groups = [aws_security_group.ecs.id]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "data" {
  name   = "onyx-prod-data"
  vpc_id = data.aws_vpc.default.id

  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.ecs.id, aws_security_group.vespa.id]
  }

  ingress {
    from_port       = 6379
    to_port         = 6379
    protocol        = "tcp"
    security_groups = [aws_security_group.ecs.id]
  }
}

resource "aws_db_instance" "postgres" {
  identifier             = "onyx-prod-postgres"
  engine                 = "postgres"
  engine_version         = "16.8"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "onyx_root"
  password               = var.postgres_password
  vpc_security_group_ids = [aws_security_group.data.id]
  skip_final_snapshot    = true
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = "onyx-prod-redis"
  description                = "Onyx"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = 1
  security_group_ids         = [aws_security_group.data.id]
  transit_encryption_enabled = true
  auth_token                 = var.redis_auth_token
}

resource "aws_s3_bucket" "file_store" {
  bucket        = "onyx-prod-file-store-0a1b2c3d"
  force_destroy = true
}

resource "aws_iam_role" "vespa" {
  name = "onyx-prod-vespa"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "vespa" {
  role       = aws_iam_role.vespa.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "vespa" {
  name = "onyx-prod-vespa"
  role = aws_iam_role.vespa.name
}

resource "aws_instance" "vespa" {
  ami                    = data.aws_ssm_parameter.image.insecure_value
  instance_type          = "t3.large"
  subnet_id              = data.aws_subnets.default.ids[0]
  vpc_security_group_ids = [aws_security_group.vespa.id]
  iam_instance_profile   = aws_iam_instance_profile.vespa.name

  user_data = <<-SCRIPT
    #!/bin/bash
    dnf install -y docker postgresql16
    systemctl enable --now docker
    docker run -d --name vespa --restart unless-stopped -p 8081:8081 -p 19071:19071 vespaengine/vespa:8.526.15
  SCRIPT

  tags = { Name = "onyx-prod-vespa" }
}

resource "aws_acm_certificate" "main" {
  domain_name       = var.hostname
  validation_method = "DNS"
}

resource "aws_lb" "main" {
  name               = "onyx-prod-alb"
  load_balancer_type = "application"
  security_groups    = [aws_security_group.alb.id]
  subnets            = data.aws_subnets.default.ids
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.main.arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_target_group" "customer_a" {
  name        = "customer-a-prod-tg"
  port        = 80
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = data.aws_vpc.default.id

  health_check {
    path                = "/api/health"
    interval            = 60
    timeout             = 30
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }
}

resource "aws_lb_listener_rule" "customer_a" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 100

  condition {
    host_header {
      values = [var.hostname]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.customer_a.arn
  }
}

resource "aws_secretsmanager_secret" "postgres" {
  name = "onyx-prod/postgres"
}

resource "aws_secretsmanager_secret_version" "postgres" {
  secret_id     = aws_secretsmanager_secret.postgres.id
  secret_string = var.postgres_password
}

resource "aws_secretsmanager_secret" "redis" {
  name = "onyx-prod/redis"
}

resource "aws_secretsmanager_secret_version" "redis" {
  secret_id     = aws_secretsmanager_secret.redis.id
  secret_string = var.redis_auth_token
}

resource "aws_iam_role" "ecs" {
  for_each = toset(["execution", "task"])

  name = "onyx-prod-ecs-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "ecs" {
  for_each = aws_iam_role.ecs

  name = "onyx"
  role = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" },
      { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" },
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"], Resource = [aws_s3_bucket.file_store.arn, "${aws_s3_bucket.file_store.arn}/*"] },
    ]
  })
}

resource "aws_cloudwatch_log_group" "customer_a" {
  name = "/ecs/customer-a"
}

resource "aws_ecs_cluster" "main" {
  name = "onyx-prod-cluster"
}

locals {
  logs = { logDriver = "awslogs", options = { "awslogs-group" = aws_cloudwatch_log_group.customer_a.name, "awslogs-region" = "us-west-2", "awslogs-stream-prefix" = "onyx" } }
  backend = [for name, value in {
    POSTGRES_HOST             = aws_db_instance.postgres.address
    POSTGRES_PORT             = "5432"
    POSTGRES_USER             = aws_db_instance.postgres.username
    POSTGRES_DB               = "onyx_customer_a"
    REDIS_HOST                = aws_elasticache_replication_group.redis.primary_endpoint_address
    REDIS_PORT                = "6379"
    REDIS_SSL                 = "true"
    VESPA_HOST                = aws_instance.vespa.private_ip
    S3_FILE_STORE_BUCKET_NAME = aws_s3_bucket.file_store.bucket
    AWS_REGION_NAME           = "us-west-2"
    WEB_DOMAIN                = "https://${var.hostname}"
  } : { name = name, value = value }]
  secrets = [
    { name = "POSTGRES_PASSWORD", valueFrom = aws_secretsmanager_secret.postgres.arn },
    { name = "REDIS_PASSWORD", valueFrom = aws_secretsmanager_secret.redis.arn },
  ]
}

resource "aws_ecs_task_definition" "customer_a" {
  family                   = "customer-a-prod"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "1024"
  memory                   = "3072"
  execution_role_arn       = aws_iam_role.ecs["execution"].arn
  task_role_arn            = aws_iam_role.ecs["task"].arn

  container_definitions = jsonencode([
    {
      name         = "api"
      image        = "onyxdotapp/onyx-backend:v2.3.0"
      essential    = true
      command      = ["/bin/sh", "-c", "alembic upgrade head && uvicorn onyx.main:app --host 0.0.0.0 --port 8080"]
      environment  = local.backend
      secrets      = local.secrets
      portMappings = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]

      logConfiguration = local.logs
    },
    {
      name        = "background"
      image       = "onyxdotapp/onyx-backend:v2.3.0"
      essential   = true
      command     = ["/app/scripts/supervisord_entrypoint.sh"]
      environment = local.backend
      secrets     = local.secrets

      logConfiguration = local.logs
    },
    {
      name         = "web"
      image        = "onyxdotapp/onyx-web-server:v2.3.0"
      essential    = true
      environment  = [{ name = "INTERNAL_URL", value = "http://localhost:8080" }]
      portMappings = [{ containerPort = 3000, hostPort = 3000, protocol = "tcp" }]

      logConfiguration = local.logs
    },
    {
      name         = "nginx"
      image        = "nginx:1.27"
      essential    = true
      environment  = [{ name = "DOMAIN", value = var.hostname }]
      portMappings = [{ containerPort = 80, hostPort = 80, protocol = "tcp" }]

      logConfiguration = local.logs
    },
  ])
}

resource "aws_ecs_service" "customer_a" {
  name                              = "customer-a-prod-service"
  cluster                           = aws_ecs_cluster.main.id
  task_definition                   = aws_ecs_task_definition.customer_a.arn
  launch_type                       = "FARGATE"
  desired_count                     = 1
  health_check_grace_period_seconds = 600

  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  network_configuration {
    subnets          = data.aws_subnets.default.ids
    security_groups  = [aws_security_group.ecs.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.customer_a.arn
    container_name   = "nginx"
    container_port   = 80
  }

  depends_on = [aws_lb_listener_rule.customer_a]
}

output "alb_dns_name" {
  value = aws_lb.main.dns_name
}

output "postgres_endpoint" {
  value = aws_db_instance.postgres.endpoint
}

output "ecs_cluster_name" {
  value = aws_ecs_cluster.main.name
}

output "vespa_private_ip" {
  value = aws_instance.vespa.private_ip
}
