output "arns" {
  description = "Key → ARN. Known only when the secret has its value."
  value       = { for key in local.keys : key => aws_secretsmanager_secret_version.this[key].arn }
}
