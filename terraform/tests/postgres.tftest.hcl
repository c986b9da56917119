provider "aws" {
  region = "us-west-2"
}

run "an_admin_secret" {
  module {
    source = "./modules/secrets"
  }

  variables {
    name          = "onyx-test"
    recovery_days = 0
    logins        = { admin = "onyx_root" }
    tokens        = []
  }
}

run "the_database" {
  command = plan

  module {
    source = "./modules/postgres"
  }

  variables {
    name                = "onyx-prod-postgres"
    engine_version      = "16"
    instance_class      = "db.t4g.small"
    storage_gb          = 20
    multi_az            = false
    subnet_ids          = ["subnet-1", "subnet-2"]
    security_group_id   = "sg-1"
    admin_user          = "onyx_root"
    admin_secret_id     = run.an_admin_secret.arns["admin"]
    snapshot            = "onyx-prod-before-destroy"
    final_snapshot      = true
    deletion_protection = true
  }

  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo == null
    error_message = "No password in plan or state."
  }

  assert {
    condition     = aws_db_instance.this.snapshot_identifier == "onyx-prod-before-destroy"
    error_message = "A new instance can be born from a snapshot."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups
    error_message = "Data is guarded by default."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "Encrypted, and not on the internet."
  }
}
