output "service" {
  value = aws_ecs_service.this.name
}

output "target_group_arn" {
  value = aws_lb_target_group.this.arn
}

output "log_group" {
  value = aws_cloudwatch_log_group.this.name
}
