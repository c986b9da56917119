terraform {
  # 1.11: write-only arguments, so that no password is ever in state or in a plan file.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = var.region
  # The wrong account is refused before anything is planned.
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = {
      Stack     = local.stack
      ManagedBy = "terraform"
    }
  }

  # A pause saves its state in tags on services and the database: an apply must not remove them.
  ignore_tags {
    key_prefixes = ["orchestrate:"]
  }
}
