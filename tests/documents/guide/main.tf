# The guide's stack as people write it from its snippets: flat, and with every mistake that its checklists are about.
# Only planned, never applied; no call leaves the machine.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-west-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variable "postgres_password" {
  type    = string
  default = "Canary-postgres-4711"
}

resource "aws_db_instance" "postgres" {
  identifier             = "onyx-prod-postgres"
  engine                 = "postgres"
  instance_class         = "db.t4g.micro"
  allocated_storage      = 20
  username               = "onyx_root"
  password               = var.postgres_password
  vpc_security_group_ids = [aws_security_group.postgres.id]
  skip_final_snapshot    = true
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = "onyx-prod-redis"
  description                = "Redis"
  node_type                  = "cache.t4g.micro"
  transit_encryption_enabled = true
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "private" {
  count             = 2
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-west-2${["a", "b"][count.index]}"
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, count.index)
}

resource "aws_security_group" "tasks" {
  name   = "tasks"
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "postgres" {
  name   = "postgres"
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group" "vespa" {
  name   = "vespa"
  vpc_id = aws_vpc.this.id

  ingress {
    from_port   = 8080
    to_port     = 8080
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }
}

resource "aws_instance" "vespa" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.small"
  subnet_id              = aws_subnet.private[0].id
  vpc_security_group_ids = [aws_security_group.vespa.id]
  user_data              = <<-EOT
    #!/bin/bash
    docker run -d --name vespa --hostname vespa-container -p 8080:8080 -p 19071:19071 vespaengine/vespa:latest
  EOT

  tags = { Name = "onyx-prod-vespa" }
}

resource "aws_s3_bucket" "file_store" {
  bucket = "onyx-prod-file-store"
}

resource "aws_s3_bucket_versioning" "file_store" {
  bucket = aws_s3_bucket.file_store.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_lb" "this" {
  name    = "onyx-prod-alb"
  subnets = aws_subnet.private[*].id
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tenant.arn
  }
}

resource "aws_lb_target_group" "tenant" {
  name        = "tenant-demo-tg"
  vpc_id      = aws_vpc.this.id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000
  health_check {
    path                = "/health"
    interval            = 30
    unhealthy_threshold = 2
  }
}

resource "aws_ecs_cluster" "this" {
  name = "onyx-prod-cluster"
}

resource "aws_ecs_task_definition" "tenant" {
  family                   = "tenant-demo"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "1024"

  runtime_platform {
    cpu_architecture = "ARM64"
  }

  container_definitions = jsonencode([
    {
      name   = "api"
      image  = "onyxdotapp/onyx-backend:latest"
      memory = 256
      environment = [
        { name = "POSTGRES_HOST", value = aws_db_instance.postgres.endpoint },
        { name = "POSTGRES_PASSWORD", value = var.postgres_password },
        { name = "REDIS_HOST", value = aws_elasticache_replication_group.redis.primary_endpoint_address },
        { name = "VESPA_HOST", value = aws_instance.vespa.private_ip },
        { name = "S3_FILE_STORE_BUCKET_NAME", value = aws_s3_bucket.file_store.id },
      ]
    },
    { name = "web", image = "onyxdotapp/onyx-web-server", memory = 256, portMappings = [{ containerPort = 3000 }] },
  ])
}

resource "aws_ecs_service" "tenant" {
  name                  = "tenant-demo-service"
  cluster               = aws_ecs_cluster.this.id
  task_definition       = aws_ecs_task_definition.tenant.arn
  desired_count         = 2
  launch_type           = "FARGATE"
  wait_for_steady_state = true

  health_check_grace_period_seconds = 60

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.tasks.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.tenant.arn
    container_name   = "web"
    container_port   = 3000
  }
}

output "postgres_endpoint" {
  value = aws_db_instance.postgres.endpoint
}

output "ecs_cluster_name" {
  value = aws_ecs_cluster.this.name
}
