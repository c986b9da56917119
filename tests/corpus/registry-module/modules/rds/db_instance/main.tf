variable "identifier" { type = string }
variable "username" { type = string }
variable "group_id" { type = string }

resource "aws_db_instance" "this" {
  count = 1

  identifier                  = var.identifier
  engine                      = "postgres"
  instance_class              = "db.t4g.small"
  allocated_storage           = 20
  username                    = var.username
  manage_master_user_password = true
  vpc_security_group_ids      = [var.group_id]
  skip_final_snapshot         = true
}

output "this" {
  value = {
    address            = aws_db_instance.this[0].address
    endpoint           = aws_db_instance.this[0].endpoint
    master_user_secret = aws_db_instance.this[0].master_user_secret
  }
}
