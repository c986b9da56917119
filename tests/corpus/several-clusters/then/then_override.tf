# Both databases encrypted: Terraform makes both servers anew.

resource "aws_db_instance" "this" {
  storage_encrypted = true
}
