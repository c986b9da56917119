# One Onyx behind a load balancer: task definition, service, target group and, with `hosts`, the rule of its names.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "name" {
  type = string
}

variable "cluster" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "role_arn" {
  type = string
}

variable "listener_arn" {
  type    = string
  default = null
}

variable "priority" {
  type    = number
  default = 100
}

variable "hosts" {
  type    = list(string)
  default = []
}

variable "environment" {
  type = map(string)
}

variable "secrets" {
  type    = map(string)
  default = {}
}

variable "image" {
  type    = string
  default = "onyxdotapp/onyx-backend:v2.3.0"
}

variable "launch_type" {
  type    = string
  default = "FARGATE"
}

locals {
  fargate = var.launch_type == "FARGATE"
}

resource "aws_cloudwatch_log_group" "this" {
  name = "/onyx/${var.name}"
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = [var.launch_type]
  network_mode             = local.fargate ? "awsvpc" : "bridge"
  cpu                      = "1024"
  memory                   = "3072"
  execution_role_arn       = var.role_arn
  task_role_arn            = var.role_arn

  container_definitions = jsonencode([{
    name         = "onyx"
    image        = var.image
    essential    = true
    portMappings = [{ containerPort = 8080, hostPort = local.fargate ? 8080 : 0, protocol = "tcp" }]
    environment  = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
    secrets      = [for key in sort(keys(var.secrets)) : { name = key, valueFrom = var.secrets[key] }]
    logConfiguration = {
      logDriver = "awslogs"
      options   = { "awslogs-group" = aws_cloudwatch_log_group.this.name, "awslogs-region" = "us-west-2", "awslogs-stream-prefix" = "onyx" }
    }
  }])
}

resource "aws_lb_target_group" "this" {
  name        = substr(var.name, 0, 32)
  port        = 8080
  protocol    = "HTTP"
  target_type = local.fargate ? "ip" : "instance"
  vpc_id      = var.vpc_id
}

resource "aws_lb_listener_rule" "this" {
  count = length(var.hosts) > 0 ? 1 : 0

  listener_arn = var.listener_arn
  priority     = var.priority

  condition {
    host_header {
      values = var.hosts
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = var.cluster
  task_definition = aws_ecs_task_definition.this.arn
  launch_type     = var.launch_type
  desired_count   = 1

  dynamic "network_configuration" {
    for_each = local.fargate ? [1] : []

    content {
      subnets = var.subnet_ids
    }
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "onyx"
    container_port   = 8080
  }

  depends_on = [aws_lb_listener_rule.this]
}

output "target_group_arn" {
  value = aws_lb_target_group.this.arn
}
