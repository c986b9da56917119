# An OpenSearch beside a runner, as the runner itself, and where nothing else has an instance.

provider "aws" {
  region = "us-west-2"
}

variables {
  kind              = "opensearch"
  name              = "onyx-prod-opensearch-customer-a"
  role_name         = "onyx-prod-opensearch-customer-a"
  vpc_id            = "vpc-1"
  subnet            = { id = "subnet-1", zone = "us-west-2a" }
  instance_type     = "t3.large"
  volume_gb         = 50
  image             = "opensearchproject/opensearch:3.6.0"
  secret_arn        = "arn:aws:secretsmanager:us-west-2:123456789012:secret:o"
  secret_arns       = ["arn:aws:secretsmanager:us-west-2:123456789012:secret:a", "arn:aws:secretsmanager:us-west-2:123456789012:secret:o"]
  postgres_group_id = "sg-2"
  redis_group_id    = "sg-3"
  runner            = false
}

run "an_index" {
  command = plan

  module {
    source = "./modules/index"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.secrets[0].policy).Statement[0].Resource == ["arn:aws:secretsmanager:us-west-2:123456789012:secret:o"]
    error_message = "Its instance reads its own login, and no other secret."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.postgres) == 0
    error_message = "Only the runner reaches PostgreSQL."
  }

  assert {
    condition     = aws_instance.this.user_data_replace_on_change && aws_ebs_volume.index.encrypted && aws_volume_attachment.index.stop_instance_before_detaching
    error_message = "The index outlasts its instance."
  }
}

run "the_runner" {
  command = plan

  module {
    source = "./modules/index"
  }

  variables {
    runner = true
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.secrets[0].policy).Statement[0].Resource == ["arn:aws:secretsmanager:us-west-2:123456789012:secret:a", "arn:aws:secretsmanager:us-west-2:123456789012:secret:o"]
    error_message = "The runner reads the stack's secrets, each named once."
  }
}

run "a_runner_of_its_own" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name = "onyx-prod-runner"
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.servers : name => "${rule.security_group_id}:${rule.from_port}" } == { postgres = "sg-2:5432", redis = "sg-3:6379" }
    error_message = "It reaches PostgreSQL and Redis."
  }

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.ssm.policy_arn, "/AmazonSSMManagedInstanceCore") && aws_instance.this.metadata_options[0].http_tokens == "required"
    error_message = "SSM reaches it; IMDSv2 only."
  }
}
