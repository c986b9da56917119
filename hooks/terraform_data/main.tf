locals {
  # Quoted for /bin/sh: an argument stays one argument.
  arguments = [for argument in var.arguments : "'${replace(argument, "'", "'\\''")}'"]
}

# A failing run leaves this tainted, and the next apply runs it again. Destroy runs nothing.
resource "terraform_data" "orchestrate" {
  triggers_replace = {
    load_balancer = try(var.contract.load_balancer.dns_name, "")
    database      = join(" ", [try(var.contract.database.instance, ""), try(var.contract.database.host, "")])
    tenants       = jsonencode(try(var.contract.tenants, {}))
    runner        = try(var.contract.runner.instance_id, "")
    more          = jsonencode(var.triggers)
  }

  # Outputs are not written yet while apply runs, so the contract travels in the environment: compressed, because one
  # variable holds less than 128 KiB. It names secrets by ARN and holds none; a sensitive value would hide all output.
  provisioner "local-exec" {
    command = join(" ", concat([var.command, "run"], local.arguments))

    environment = merge(var.environment, {
      ORCHESTRATE_CONTRACT = base64gzip(jsonencode(var.contract))
    })
  }
}
