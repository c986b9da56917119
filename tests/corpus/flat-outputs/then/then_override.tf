# A new name for the load balancer, and an encrypted database: Terraform makes both anew.

resource "aws_lb" "main" {
  name = "onyx-prod-public"
}

resource "aws_db_instance" "postgres" {
  storage_encrypted = true
}
