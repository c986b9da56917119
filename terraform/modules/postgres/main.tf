# Read back from the secret, never generated a second time: an apply that failed halfway must end with the same password on
# both sides.
ephemeral "aws_secretsmanager_secret_version" "admin" {
  secret_id = var.admin_secret_id
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

# When this stack was created: a final snapshot needs a new name at each destroy, or the second destroy fails.
resource "terraform_data" "born" {
  # It depends on the snapshot so that it is recreated with the server when a restore replaces one with another.
  input = join("", [formatdate("YYYYMMDDhhmmss", plantimestamp()), var.snapshot == null ? "" : ""])

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class

  allocated_storage     = var.storage_gb
  max_allocated_storage = 5 * var.storage_gb
  storage_type          = "gp3"
  storage_encrypted     = true

  username            = var.admin_user
  password_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.admin.secret_string).password
  password_wo_version = 1

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  multi_az               = var.multi_az

  snapshot_identifier       = var.snapshot
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = var.final_snapshot ? "${var.name}-final-${terraform_data.born.output}" : null
  deletion_protection       = var.deletion_protection
  delete_automated_backups  = !var.final_snapshot
  backup_retention_period   = 7
  copy_tags_to_snapshot     = true
  apply_immediately         = true

  lifecycle {
    # The snapshot matters only at creation: naming another one, or none, must never replace an existing instance.
    ignore_changes = [snapshot_identifier]
  }
}
