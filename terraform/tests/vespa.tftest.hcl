# A runner and another instance.

provider "aws" {
  region = "us-west-2"
}

variables {
  kind              = "vespa"
  name              = "onyx-prod-vespa"
  role_name         = "onyx-prod-vespa-customer-a"
  vpc_id            = "vpc-1"
  subnet            = { id = "subnet-1", zone = "us-west-2a" }
  instance_type     = "t3.large"
  volume_gb         = 50
  image             = "vespaengine/vespa:8.609.39"
  secret_arns       = ["arn:aws:secretsmanager:us-west-2:123456789012:secret:b", "arn:aws:secretsmanager:us-west-2:123456789012:secret:a"]
  postgres_group_id = "sg-2"
  redis_group_id    = "sg-3"
  runner            = true
}

run "the_runner" {
  command = plan

  module {
    source = "./modules/index"
  }

  assert {
    condition     = aws_instance.this.metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2 only."
  }

  assert {
    condition     = aws_instance.this.tags["Name"] == "onyx-prod-vespa"
    error_message = "The guide finds the runner by its name."
  }

  assert {
    condition     = aws_instance.this.user_data_replace_on_change && aws_ebs_volume.index.encrypted && aws_volume_attachment.index.stop_instance_before_detaching
    error_message = "The index outlasts its instance."
  }

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.ssm.policy_arn, "/AmazonSSMManagedInstanceCore")
    error_message = "SSM reaches the instance."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.secrets[0].policy).Statement[0].Resource == ["arn:aws:secretsmanager:us-west-2:123456789012:secret:a", "arn:aws:secretsmanager:us-west-2:123456789012:secret:b"]
    error_message = "The runner reads the stack's secrets."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.postgres[0].security_group_id == "sg-2"
    error_message = "The runner reaches PostgreSQL."
  }
}

run "another" {
  command = plan

  module {
    source = "./modules/index"
  }

  variables {
    runner = false
  }

  assert {
    condition     = length(aws_iam_role_policy.secrets) == 0 && length(aws_vpc_security_group_ingress_rule.postgres) == 0
    error_message = "Only the runner reads secrets and reaches PostgreSQL."
  }
}

run "from_a_snapshot" {
  command = plan

  module {
    source = "./modules/index"
  }

  variables {
    snapshot = "snap-0123456789abcdef0"
  }

  assert {
    condition     = aws_ebs_volume.index.snapshot_id == "snap-0123456789abcdef0"
    error_message = "A restore begins with the index of the backup."
  }
}
