"""hooks/destroy_guard: a plain `terraform destroy` takes a backup first, or destroys nothing. On both Terraforms."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.local.toolchain import toolchain
from orchestrator.workflows.parent_run import parent
from tests.e2e.stage import Stage, stage
from tests.e2e.vaults import vault_of
from tests.terraform.conftest import ROOT, Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]

CONFIGURATION = f"""
resource "terraform_data" "holds_the_data" {{
}}

module "guard" {{
  source     = "./destroy_guard"
  command    = "'{sys.executable}' -P -m orchestrator"
  arguments  = ["--database-transport", "direct"]
  contract   = jsondecode(file("contract.json"))
  depends_on = [terraform_data.holds_the_data]
}}
"""
ALL = ["module.guard.terraform_data.guard", "terraform_data.holds_the_data"]


@dataclass(frozen=True)
class Guarded:
    """A stack that lives, and a configuration whose destruction would lose it."""

    stage: Stage
    terraform: Terraform

    def terraform_says(self, verb: str, *, ok: bool = True, **variables: str) -> str:
        changed = Terraform(self.terraform.directory, {**self.terraform.environment, **variables})
        done = changed.run(verb, "-auto-approve", "-no-color", ok=ok)
        return done.stdout + done.stderr

    @property
    def resources(self) -> list[str]:
        return sorted(self.terraform.run("state", "list").stdout.split())

    @property
    def tainted(self) -> bool:
        return "tainted" in self.terraform.run("show", "-no-color").stdout

    def backups(self) -> int:
        """How many there are that have a manifest."""
        s3 = self.stage.aws.client("s3")
        if not (vault := vault_of(s3)):
            return 0
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=vault)
        return len([one for one in pages.search("Contents[].Key") if one and one.endswith("/manifest.json")])


@pytest.fixture
def guarded(tmp_path: Path, program: toolchain.Toolchain) -> Iterator[Guarded]:
    with stage(tmp_path, tenants=("customer-a",)) as made:
        made.direct().succeeded()
        shutil.copytree(ROOT / "hooks" / "destroy_guard", made.work / "destroy_guard")
        (made.work / "main.tf").write_text(CONFIGURATION)
        (made.work / "contract.json").write_text(json.dumps(made.contract))
        own = {"ORCHESTRATE_POLL": "0.5", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        terraform = Terraform(made.work, program.environment(made.environment(**own)))
        terraform.run("init", "-no-color")
        yield Guarded(made, terraform)


def test_nothing_is_destroyed_before_it_is_backed_up(guarded: Guarded) -> None:
    guarded.terraform_says("apply")
    contract = guarded.stage.changed(health_path="/")
    (guarded.terraform.directory / "contract.json").write_text(json.dumps(contract))
    assert "0 added, 1 changed, 0 destroyed" in guarded.terraform_says("apply"), "a new contract costs no backup"
    assert guarded.resources == ALL

    said = guarded.terraform_says("destroy", ok=False, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "Error: local-exec provisioner error" in said
    assert guarded.resources == ALL
    assert not guarded.tainted, "or the next destroy would pass it by"
    assert not guarded.backups()

    guarded.terraform_says("destroy")
    assert guarded.resources == []
    assert guarded.backups() == 1
    assert guarded.stage.command("backup", "--verify", "last").status == 0

    guarded.terraform_says("apply")
    with parent(guarded.terraform.directory, {}) as around:
        said = guarded.terraform_says("destroy", ORCHESTRATE_PARENT=around)
    assert "takes the backups itself" in said
    assert guarded.resources == []
    assert guarded.backups() == 1
