# For the tests only: a secret as its reader sees it.

variable "login" {
  type = string
}

variable "token" {
  type = string
}

data "aws_secretsmanager_secret_version" "login" {
  secret_id = var.login
}

data "aws_secretsmanager_secret_version" "token" {
  secret_id = var.token
}

locals {
  login = jsondecode(nonsensitive(data.aws_secretsmanager_secret_version.login.secret_string))
  token = nonsensitive(data.aws_secretsmanager_secret_version.token.secret_string)
}

output "username" {
  value = local.login.username
}

output "fields" {
  value = sort(keys(local.login))
}

output "password_is_fit" {
  value = can(regex("^[A-Za-z0-9]{48}$", local.login.password))
}

output "token_is_fit" {
  value = can(regex("^[A-Za-z0-9]{48}$", local.token))
}
