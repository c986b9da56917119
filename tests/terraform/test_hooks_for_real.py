"""Both hook modules, with their real providers, under both Terraforms: they bring a stack on a local cloud to life."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.local.toolchain import third_party, toolchain
from tests.e2e.stage import Stage, stage
from tests.terraform.conftest import ROOT, Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]

COMMAND = f"'{sys.executable}' -P -m orchestrator"
CONFIGURATION = """
variable "arguments" {
  type    = list(string)
  default = []
}

variable "command" {
  type = string
}

module "orchestrate" {
  source    = "./hook"
  command   = var.command
  arguments = var.arguments
  contract  = jsondecode(file("contract.json"))
}

output "orchestrator" {
  value = jsondecode(file("contract.json"))
}
"""


@dataclass(frozen=True)
class Hooked:
    """A stack as its making left it, and a configuration whose only resource is the hook."""

    stage: Stage
    terraform: Terraform

    def apply(self, *arguments: str, ok: bool = True) -> str:
        given = ["-auto-approve", "-no-color", "-var", f"command={COMMAND}", *arguments]
        done = self.terraform.run("apply", *given, ok=ok)
        return done.stdout + done.stderr

    def orchestrate(self) -> Mapping[str, str | int]:
        """`orchestrate apply`; its last event."""
        variables = {name: value for name, value in self.terraform.environment.items() if name.startswith("T")}
        said = self.stage.orchestrate(
            "apply", "--auto-approve", "--json", "-var", f"command={COMMAND}", variables=variables
        )
        return said.succeeded().last

    @property
    def changes(self) -> Counter[str]:
        """What was asked of AWS so far that changes something, and how often."""
        asked = self.stage.recorder.calls
        return Counter(one for one in asked if one.endswith((":UpdateService", ":ChangeResourceRecordSets")))


@pytest.fixture(params=["null_resource", "terraform_data"])
def hooked(request: pytest.FixtureRequest, tmp_path: Path, program: toolchain.Toolchain) -> Iterator[Hooked]:
    with stage(tmp_path, tenants=("customer-a",)) as made:
        made.work.mkdir()
        shutil.copytree(ROOT / "hooks" / request.param, made.work / "hook")
        (made.work / "main.tf").write_text(CONFIGURATION)
        (made.work / "contract.json").write_text(json.dumps(made.contract))
        own = {"ORCHESTRATE_POLL": "0.5", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        terraform = Terraform(made.work, program.environment(made.environment(**own)))
        terraform.run("init", "-no-color")
        yield Hooked(made, terraform)


def test_the_null_provider_is_the_oldest_that_is_allowed(program: toolchain.Toolchain) -> None:
    versions = (ROOT / "hooks" / "null_resource" / "versions.tf").read_text()
    assert 'version = ">= 2.1"' in versions
    assert not program.null or program.null == third_party.NULL_VERSION


def test_a_plain_apply_ends_with_sites_that_answer(hooked: Hooked) -> None:
    """A run that failed taints, the next apply runs it again. What is up isn't touched. Nothing holds destroy up."""
    failed = hooked.apply("-var", 'arguments=["--tenant", "nobody"]', ok=False)
    assert "exit status" in failed
    assert "tainted" in hooked.terraform.run("show", "-no-color").stdout
    assert not hooked.stage.databases()

    applied = hooked.apply()
    hostname = hooked.stage.contract["tenants"]["customer-a"]["hostname"]
    assert f"https://{hostname} answers with HTTP 200" in applied
    assert list(hooked.stage.databases()) == ["onyx_customer_a"]
    assert hooked.stage.resolve(hostname)

    before = hooked.stage.world()
    assert "No changes" in hooked.apply()
    hooked.terraform.run("destroy", "-auto-approve", "-no-color", "-var", "command=/nobody/is/here")
    assert hooked.terraform.run("state", "list").stdout == ""
    assert hooked.stage.world() == before


def test_orchestrate_apply_does_nothing_twice(hooked: Hooked) -> None:
    """The run that Terraform calls leaves the steps to the apply that has called Terraform, and waits for nothing."""
    assert hooked.orchestrate()["outcome"] == "succeeded"
    assert list(hooked.stage.databases()) == ["onyx_customer_a"]
    assert hooked.changes == {"ecs:UpdateService": 1, "route53:ChangeResourceRecordSets": 1}
    assert hooked.orchestrate()["changed"] == 0
    assert hooked.changes.total() == 2
