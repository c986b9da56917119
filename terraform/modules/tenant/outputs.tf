output "service" {
  value = aws_ecs_service.this.name
}

output "target_group_arn" {
  value = aws_lb_target_group.this.arn
}

output "workers" {
  description = "Services without a load balancer, by name."
  value       = { for name, service in aws_ecs_service.worker : name => { service = service.name } }
}

output "log_group" {
  value = aws_cloudwatch_log_group.this.name
}
