"""A small Terraform configuration: one resource is a whole world, another what of it holds the data, made by scripts.

The real terraform, real plans, real state; seconds instead of minutes. Like terraform/ it takes the snapshots to begin
with as variables, which its stores alone are born from (a world is born with its stores), guards nothing by itself, and
says its contract in the output `orchestrator`, as far as it is known.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

MAIN = """
variable "name" {
  type    = string
  default = "onyx-prod"
}
variable "hostnames" {
  type    = map(string)
  default = { customer-a = "demo.vigilon.app", customer-b = "customer-b.vigilon.app" }
}
variable "log_prefix" {
  type    = string
  default = "/ecs"
}
variable "postgres_snapshot" {
  type    = string
  default = ""
}
variable "vespa_snapshots" {
  type    = map(string)
  default = {}
}

resource "terraform_data" "world" {
  input = {
    command = "PYTHON SCRIPT"
    file    = "${abspath(path.module)}/${var.name}.json"
    given   = jsonencode({ name = var.name, hostnames = var.hostnames, log_prefix = var.log_prefix, aurora = AURORA })
  }
  lifecycle {
    ignore_changes = [input]
  }
  provisioner "local-exec" {
    command     = "${self.input.command} build ${self.input.file}"
    environment = {
      GIVEN     = self.input.given
      SNAPSHOTS = local.snapshots
    }
  }
  provisioner "local-exec" {
    when    = destroy
    command = "${self.input.command} destroy ${self.input.file}"
  }
}

# The database server and the index volumes: replaced, they begin with the snapshots, and the rest of the world stays.
resource "terraform_data" "stores" {
  input = { command = "${terraform_data.world.output.command} seed ${terraform_data.world.output.file}" }
  lifecycle {
    ignore_changes = [input]
  }
  provisioner "local-exec" {
    command     = self.input.command
    environment = {
      SNAPSHOTS = jsonencode({ database = var.postgres_snapshot, indexes = var.vespa_snapshots })
    }
  }
}

locals {
  snapshots = jsonencode({ database = var.postgres_snapshot, indexes = var.vespa_snapshots })
  # The file is there once the world is: its path is unknown until then, as AWS's answers are.
  made = jsondecode(file(replace(terraform_data.world.id, "/.*/", "${path.module}/${var.name}.json")))
}

output "orchestrator" {
  value = {
    schema        = 1
    stack         = var.name
    account_id    = "123456789012"
    region        = "us-west-2"
    cluster       = local.made.cluster
    database      = local.made.database
    runner        = local.made.runner
    load_balancer = local.made.load_balancer
    certificate   = local.made.certificate
    bucket        = local.made.bucket
    redis         = local.made.redis
    vespa         = local.made.vespa
    dns           = { provider = "route53", zone = "vigilon.app", ttl = 60 }
    tenants = { for name, hostname in var.hostnames : name => {
      database         = "onyx_${replace(name, "-", "_")}"
      role             = "onyx_${replace(name, "-", "_")}"
      hostname         = hostname
      secret_arn       = local.made.tenants[name].secret_arn
      service          = local.made.tenants[name].service
      target_group_arn = local.made.tenants[name].target_group_arn
      log_group        = local.made.tenants[name].log_group
      dns              = null
    } }
  }
}
"""


def without_snapshots(text: str) -> str:
    """A stack of somebody's own: its Terraform can't begin with a snapshot."""
    stores = re.compile(r"# The database server and the index.*?\n}\n\n", re.DOTALL)
    variables = re.compile(r'variable "(?:postgres_snapshot|vespa_snapshots)" {.*?\n}\n', re.DOTALL)
    plain = variables.sub("", stores.sub("", text))
    return plain.replace("var.postgres_snapshot", '""').replace("var.vespa_snapshots", "{}")


def write(folder: Path, *, snapshots: bool = True, aurora: bool = False) -> Path:
    """The configuration, in an empty folder. Its database server is an Aurora cluster if asked for."""
    folder.mkdir(parents=True)
    text = MAIN if snapshots else without_snapshots(MAIN)
    script = shutil.copy(Path(__file__).with_name("small_stack_script.py"), folder / "world.py")
    words = {"PYTHON": sys.executable, "SCRIPT": f"-P {script}", "AURORA": str(aurora).lower()}
    for word, value in words.items():
        text = text.replace(word, value)
    (folder / "main.tf").write_text(text)
    return folder


def contract(folder: Path, name: str = "onyx-prod") -> dict[str, object]:
    """What the world said of itself."""
    found: dict[str, object] = json.loads((folder / f"{name}.json").read_text())
    return found
