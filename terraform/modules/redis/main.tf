resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

# TLS only. The token would have to be in state here (the provider has no write-only argument for it), so the
# orchestrator's `redis-auth` step sets it from its secret on the finished group; until then only the security group
# protects it, and the tasks, which send a password, are refused.
resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Onyx: sessions, locks and the task queues, three databases per tenant"
  engine               = "redis"
  engine_version       = "7.1"
  parameter_group_name = var.parameter_group
  node_type            = var.node_type
  num_cache_clusters   = 1
  port                 = 6379

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  automatic_failover_enabled = false
  apply_immediately          = true

  lifecycle {
    # The step's, not ours: a plan after it must be empty. The tag is there between its two changes.
    ignore_changes = [auth_token, auth_token_update_strategy, tags["orchestrate:token"]]
  }
}
