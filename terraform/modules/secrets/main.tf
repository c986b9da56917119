# Passwords are drawn by AWS, written once and never kept: ephemeral values and write-only arguments are neither in state
# nor in a plan. Who needs one reads it back from its secret.

locals {
  keys = setunion(keys(var.logins), var.tokens)
}

# Letters and digits only: safe in a URL, in SQL, in a shell, for RDS (no / @ " or space) and for Redis (16 to 128 characters).
# 48 of 62 signs: 285 bits.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.keys

  password_length     = 48
  exclude_punctuation = true
}

# A new name at each apply: a deleted secret keeps its name for as long as it can be restored.
resource "aws_secretsmanager_secret" "this" {
  for_each = local.keys

  name_prefix             = "${var.name}/${each.key}-"
  description             = contains(keys(var.logins), each.key) ? "PostgreSQL login: username, password" : "Token: plain text"
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.keys

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo_version = 1 # another number would draw anew what roles, Redis and running tasks go on using
  secret_string_wo = contains(keys(var.logins), each.key) ? jsonencode({
    username = var.logins[each.key]
    password = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  }) : ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
}
