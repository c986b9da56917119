# Each tenant's tasks have a group of their own, so that no tenant can reach another's search index.

resource "aws_security_group" "tasks" {
  name        = "${local.role}-tasks"
  description = "Tasks: the load balancer comes in"
  vpc_id      = var.vpc_id

  tags = { Name = "${local.role}-tasks" }
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  security_group_id = aws_security_group.tasks.id
  description       = "Images, AWS, models, connectors"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id            = var.allow.load_balancer
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.tasks.id
  referenced_security_group_id = var.allow.load_balancer
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

# 19071: Onyx deploys its application package to Vespa's config server; 8081: queries (not 8080, the image's own default).
# 9200: OpenSearch's REST API.
resource "aws_vpc_security_group_ingress_rule" "from_tasks" {
  for_each = merge(
    { postgres = { group = var.allow.postgres, port = var.postgres.port } },
    local.lite ? {} : { redis = { group = var.allow.redis, port = var.redis.port } },
    var.vespa == null ? {} : {
      vespa        = { group = var.allow.vespa, port = 8081 }
      vespa-config = { group = var.allow.vespa, port = 19071 }
    },
    var.opensearch == null ? {} : { opensearch = { group = var.allow.opensearch, port = 9200 } },
  )

  security_group_id            = each.value.group
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}
