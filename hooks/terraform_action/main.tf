locals {
  # The local provider shows standard output of what succeeded and standard error of what failed, each at the end.
  shell = ["-c", "said=$(\"$@\" 2>&1); status=$?; [ $status = 0 ] || exec >&2; printf '%s\\n' \"$said\"; exit $status", "sh"]

  # It names secrets by ARN and holds none. Standard input, unlike a variable of the environment, has no limit.
  contract = jsonencode(var.contract)
  from     = ["--contract", "-"]
}

action "local_command" "run" {
  config {
    command   = "/bin/sh"
    arguments = concat(local.shell, var.command, ["run"], local.from, var.arguments)
    stdin     = local.contract
  }
}

# Each new one runs the action. Terraform keeps nothing of an action: one that failed is not tried again by the next
# apply, as a provisioner is, but `terraform apply -invoke=ADDRESS` runs it.
resource "terraform_data" "orchestrate" {
  triggers_replace = {
    load_balancer = try(var.contract.load_balancer.dns_name, "")
    database      = join(" ", [try(var.contract.database.instance, ""), try(var.contract.database.host, "")])
    tenants       = jsonencode(try(var.contract.tenants, {}))
    runner        = try(var.contract.runner.instance_id, "")
    more          = jsonencode(var.triggers)
  }

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.local_command.run]
    }
  }
}

# For `-invoke` alone.
action "local_command" "backup" {
  config {
    command   = "/bin/sh"
    arguments = concat(local.shell, var.command, ["backup"], local.from)
    stdin     = local.contract
  }
}

action "local_command" "pause" {
  config {
    command   = "/bin/sh"
    arguments = concat(local.shell, var.command, ["pause", "--auto-approve"], local.from)
    stdin     = local.contract
  }
}

action "local_command" "resume" {
  config {
    command   = "/bin/sh"
    arguments = concat(local.shell, var.command, ["resume"], local.from)
    stdin     = local.contract
  }
}

action "local_command" "doctor" {
  config {
    command   = "/bin/sh"
    arguments = concat(local.shell, var.command, ["doctor"], local.from)
    stdin     = local.contract
  }
}
