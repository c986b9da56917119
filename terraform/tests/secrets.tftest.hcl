# Applied for real: what is in Secrets Manager, and that Terraform does not have it.

provider "aws" {
  region = "us-west-2"
}

run "secrets" {
  module {
    source = "./modules/secrets"
  }

  variables {
    name          = "onyx-test"
    recovery_days = 0
    logins        = { admin = "onyx_root", tenant-customer-a = "onyx_customer_a" }
    tokens        = ["redis"]
  }

  assert {
    condition     = length(setsubtract(["admin", "tenant-customer-a", "redis"], keys(output.arns))) == 0
    error_message = "One secret each."
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string_wo == null && version.secret_string == ""])
    error_message = "No value in the state."
  }
}

run "read_back" {
  command = plan

  module {
    source = "./tests/read_back"
  }

  variables {
    login = run.secrets.arns["tenant-customer-a"]
    token = run.secrets.arns["redis"]
  }

  assert {
    condition     = output.username == "onyx_customer_a" && output.fields == tolist(["password", "username"])
    error_message = "A login is {username, password}."
  }

  assert {
    condition     = output.password_is_fit && output.token_is_fit
    error_message = "48 letters and digits."
  }
}

run "a_short_recovery" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  variables {
    name          = "onyx-test"
    recovery_days = 3
    logins        = {}
    tokens        = []
  }

  expect_failures = [var.recovery_days]
}
