locals {
  # Quoted for /bin/sh: an argument stays one argument.
  arguments = [for argument in var.arguments : "'${replace(argument, "'", "'\\''")}'"]
}

# Terraform destroys this before anything it depends on, and goes no further when the backup fails: the resource then
# stays as it is, and the next destroy tries again. A destroy-time provisioner doesn't run for a tainted resource. Only
# a provisioner that fails while the resource is created taints it, so there must never be one here.
resource "terraform_data" "guard" {
  # A destroy-time provisioner may read nothing but its own resource, so all it needs is kept there. A change of it is an
  # update in place: with `triggers_replace` each new contract would be a destroy, and a backup.
  input = {
    command     = join(" ", concat([var.command, "backup"], local.arguments))
    environment = var.environment
    contract    = var.contract
  }

  provisioner "local-exec" {
    when    = destroy
    command = self.output.command

    # Compressed, because one variable holds less than 128 KiB.
    environment = merge(self.output.environment, {
      ORCHESTRATE_CONTRACT = base64gzip(jsonencode(self.output.contract))
    })
  }
}
