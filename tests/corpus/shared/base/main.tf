# What the corpus's stacks have in common and what is not the point of any: the default network, three security groups,
# roles, and a load balancer that knows no site.

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

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_security_group" "app" {
  name   = "${var.name}-app"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_security_group" "tools" {
  name   = "${var.name}-tools"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_security_group" "data" {
  name   = "${var.name}-data"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  for_each = { app = aws_security_group.app.id, tools = aws_security_group.tools.id }

  security_group_id            = aws_security_group.data.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_iam_role" "this" {
  for_each = { tasks = "ecs-tasks.amazonaws.com", tools = "ec2.amazonaws.com" }

  name = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = each.value } }]
  })
}

resource "aws_iam_role_policy_attachment" "tools" {
  role       = aws_iam_role.this["tools"].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "tools" {
  name = "${var.name}-tools"
  role = aws_iam_role.this["tools"].name
}

resource "aws_lb" "this" {
  name    = "${var.name}-lb"
  subnets = data.aws_subnets.default.ids
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

output "vpc_id" {
  value = data.aws_vpc.default.id
}

output "subnet_ids" {
  value = data.aws_subnets.default.ids
}

output "image" {
  value = nonsensitive(data.aws_ssm_parameter.image.value)
}

output "groups" {
  value = { app = aws_security_group.app.id, tools = aws_security_group.tools.id, data = aws_security_group.data.id }
}

output "role_arn" {
  value = aws_iam_role.this["tasks"].arn
}

output "profile" {
  value = aws_iam_instance_profile.tools.name
}

output "lb_arn" {
  value = aws_lb.this.arn
}

output "listener_arn" {
  value = aws_lb_listener.http.arn
}
