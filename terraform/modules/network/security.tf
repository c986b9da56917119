# The security groups of what all tenants share. Each client defines its own access: each tenant its rules for the
# database and Redis (modules/tenant), the runner its own (modules/index, modules/runner).

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-alb"
  description = "Load balancer: the web comes in, tasks are reached"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-alb" }
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.load_balancer.id
  description       = "${each.key} from everywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_security_group" "postgres" {
  name        = "${var.name}-postgres"
  description = "PostgreSQL: tasks and the runner come in"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-postgres" }
}

resource "aws_security_group" "redis" {
  name        = "${var.name}-redis"
  description = "Redis: tasks come in"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-redis" }
}
