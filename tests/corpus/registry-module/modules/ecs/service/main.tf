variable "name" { type = string }
variable "cluster" { type = string }
variable "subnet_ids" { type = list(string) }
variable "role_arn" { type = string }
variable "service" { type = any }

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["api"])
  name     = "/aws/ecs/${var.name}/${each.key}"
}

resource "aws_ecs_task_definition" "this" {
  count = 1

  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "1024"
  memory                   = "4096"
  execution_role_arn       = var.role_arn
  task_role_arn            = var.role_arn

  container_definitions = jsonencode([{
    name         = "api"
    image        = "onyxdotapp/onyx-backend:v2.3.0"
    essential    = true
    portMappings = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
    environment  = [for key in sort(keys(var.service.environment)) : { name = key, value = var.service.environment[key] }]
    secrets      = [for key in sort(keys(var.service.secrets)) : { name = key, valueFrom = var.service.secrets[key] }]
    logConfiguration = {
      logDriver = "awslogs"
      options   = { "awslogs-group" = aws_cloudwatch_log_group.this["api"].name, "awslogs-region" = "us-west-2", "awslogs-stream-prefix" = "ecs" }
    }
  }])
}

resource "aws_ecs_service" "this" {
  count = 1

  name            = var.name
  cluster         = var.cluster
  task_definition = aws_ecs_task_definition.this[0].arn
  launch_type     = "FARGATE"
  desired_count   = 1

  network_configuration {
    subnets = var.subnet_ids
  }

  load_balancer {
    target_group_arn = var.service.target_group_arn
    container_name   = "api"
    container_port   = 8080
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}
