variable "name" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "rules" { type = map(string) }

resource "aws_lb" "this" {
  count   = 1
  name    = var.name
  subnets = var.subnet_ids
}

resource "aws_lb_listener" "this" {
  for_each = { ex-http = 80 }

  load_balancer_arn = aws_lb.this[0].arn
  port              = each.value
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_target_group" "this" {
  for_each = var.rules

  name        = each.key
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
}

resource "aws_lb_listener_rule" "this" {
  for_each = var.rules

  listener_arn = aws_lb_listener.this["ex-http"].arn

  condition {
    host_header {
      values = [each.value]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this[each.key].arn
        weight = 100
      }

      stickiness {
        enabled  = true
        duration = 3600
      }
    }
  }
}

output "dns_name" { value = aws_lb.this[0].dns_name }
output "target_groups" { value = { for key, group in aws_lb_target_group.this : key => group.arn } }
