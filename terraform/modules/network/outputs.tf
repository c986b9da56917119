output "vpc_id" {
  value = aws_vpc.this.id
}

output "public_subnet_ids" {
  value = aws_subnet.public[*].id

  # AWS refuses an internet-facing load balancer in a VPC without an internet gateway.
  depends_on = [aws_route.internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  value = aws_subnet.private[*].id
}

output "task_subnets" {
  description = "Where tasks and Vespa run: the VPC has a route to the internet once this is known."
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
