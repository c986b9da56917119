locals {
  family = "${var.name}-${var.environment}" # customer-a-prod
  role   = "${var.stack}-${var.name}"       # onyx-prod-customer-a
  prefix = "onyx-files/${var.name}"         # in the bucket, which the tenants share
  site   = "https://${var.hostname}"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "${var.log_prefix}/${var.name}"
  retention_in_days = 30
}

resource "aws_lb_target_group" "this" {
  name                 = "${local.family}-tg"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 80
  deregistration_delay = 30

  # nginx → api: the only path that tests the whole chain. Web's port 3000 has no /health route.
  # 60 s × 10: migrations are slow, and killing them halfway makes them slower.
  health_check {
    path                = "/api/health"
    matcher             = "200"
    healthy_threshold   = 2
    unhealthy_threshold = 10
    timeout             = 30
    interval            = 60
  }
}

resource "aws_lb_listener_rule" "this" {
  listener_arn = var.listener_arn
  priority     = var.listener_priority

  condition {
    host_header {
      values = [var.hostname]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(local.containers)

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # Tasks must not start before their role has the permissions that they need first.
  depends_on = [aws_iam_role_policy.bucket, aws_iam_role_policy.secrets, aws_iam_role_policy_attachment.execution]
}

resource "aws_ecs_service" "this" {
  name            = "${local.family}-service"
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  launch_type     = "FARGATE"
  desired_count   = 1 # more could migrate the same schema at the same time

  health_check_grace_period_seconds = 600 # the first boot runs 275+ migrations

  # A hopeless rollout is reported as failed. No rollback: the task migrates the schema at boot, and the older code
  # would run on the newer schema (and a first deployment has nothing to go back to).
  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = var.public_address
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "nginx"
    container_port   = 80
  }

  lifecycle {
    ignore_changes = [desired_count] # pausing and autoscaling own it from here on
  }

  # A target group that no listener uses is refused; a task that can't reach what it needs dies.
  depends_on = [
    aws_lb_listener_rule.this,
    aws_vpc_security_group_egress_rule.tasks,
    aws_vpc_security_group_ingress_rule.from_load_balancer,
    aws_vpc_security_group_ingress_rule.from_tasks,
  ]
}
