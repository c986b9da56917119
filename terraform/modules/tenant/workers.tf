# Services of the tenant that no load balancer leads to: background, from Onyx 3 on.

locals {
  workers = local.apart ? { background = var.background } : {}
}

resource "aws_ecs_task_definition" "worker" {
  for_each = local.workers

  family                   = "${local.family}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(each.value.cpu)
  memory                   = tostring(each.value.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.defined[each.key]])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  depends_on = [aws_iam_role_policy.bucket, aws_iam_role_policy.secrets, aws_iam_role_policy_attachment.execution]
}

resource "aws_ecs_service" "worker" {
  for_each = local.workers

  name            = "${local.family}-${each.key}"
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.worker[each.key].arn
  launch_type     = "FARGATE"
  desired_count   = 1 # its scheduler must be the only one

  # One task at a time, so that no second scheduler runs beside the first during a deployment.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = false
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = var.public_address
  }

  lifecycle {
    ignore_changes = [desired_count] # pausing and autoscaling own it from here on
  }

  depends_on = [
    aws_vpc_security_group_egress_rule.tasks,
    aws_vpc_security_group_ingress_rule.from_tasks,
  ]
}
