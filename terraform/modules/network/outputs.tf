output "vpc_id" {
  value = aws_vpc.this.id
}

output "public_subnet_ids" {
  value = aws_subnet.public[*].id

  # A load balancer that faces the internet is refused in a VPC that has no way there.
  depends_on = [aws_route.internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  value = aws_subnet.private[*].id
}

output "task_subnets" {
  description = "Where tasks and Vespa run: a way out of the VPC exists when this is known."
  value       = [for subnet in(var.nat_gateway ? aws_subnet.private : aws_subnet.public) : { id = subnet.id, zone = subnet.availability_zone }]

  depends_on = [
    aws_route.internet, aws_route_table_association.public,
    aws_route.nat, aws_route_table_association.private,
  ]
}

output "load_balancer_security_group_id" {
  value = aws_security_group.load_balancer.id
}

output "postgres_security_group_id" {
  value = aws_security_group.postgres.id
}

output "redis_security_group_id" {
  value = aws_security_group.redis.id
}
