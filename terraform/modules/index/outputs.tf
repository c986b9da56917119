output "instance_id" {
  value = aws_instance.this.id
}

output "host" {
  value = aws_instance.this.private_ip
}

output "security_group_id" {
  value = aws_security_group.this.id
}
