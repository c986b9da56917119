output "instance" {
  value = aws_db_instance.this.identifier
}

output "address" {
  description = "Host only. `endpoint` includes the port: a POSTGRES_HOST made from it ends up as host:5432:5432."
  value       = aws_db_instance.this.address
}

output "port" {
  value = aws_db_instance.this.port
}

output "endpoint" {
  description = "host:port."
  value       = aws_db_instance.this.endpoint
}
