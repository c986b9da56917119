output "arns" {
  description = "Key → ARN, known only once the secret has its value."
  value       = { for key in local.keys : key => aws_secretsmanager_secret_version.this[key].arn }
}
