"""hooks/terraform_action on a Terraform that has actions: they bring a stack to life, and are seen in plan and run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.local.toolchain import third_party, toolchain
from tests import needed
from tests.e2e.stage import Ended, Stage, stage
from tests.e2e.vaults import vault_of
from tests.terraform.conftest import ROOT, Terraform, clean
from tests.terraform.played import laid_out

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]

ACTION = "module.orchestrate.action.local_command"
RUN = f"{ACTION}.run"
CONFIGURATION = """
variable "arguments" {
  type    = list(string)
  default = []
}

variable "again" {
  default = ""
}

module "orchestrate" {
  source    = "./hook"
  command   = ["%s", "-P", "-m", "orchestrator"]
  arguments = var.arguments
  contract  = jsondecode(file("contract.json"))
  triggers  = { again = var.again }
}

output "orchestrator" {
  value = jsondecode(file("contract.json"))
}
"""


@dataclass(frozen=True)
class Acting:
    """A stack as its making left it, and a configuration whose only resource triggers an action."""

    stage: Stage
    terraform: Terraform

    def apply(self, *arguments: str, ok: bool = True) -> str:
        done = self.terraform.run("apply", "-auto-approve", "-no-color", *arguments, ok=ok)
        return done.stdout + done.stderr

    def orchestrate(self, verb: str, *arguments: str) -> Ended:
        variables = {name: value for name, value in self.terraform.environment.items() if name.startswith("T")}
        return self.stage.orchestrate(verb, "--json", *arguments, variables=variables)


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[Acting]:
    try:
        found = toolchain.prepare(clean(), release_line=third_party.LINE)
        configuration = laid_out(toolchain.tool_folder(clean()), tmp_path / "played")
    except Invalid as missing:
        needed.lacks(str(missing))
    with stage(tmp_path, tenants=("customer-a",)) as made:
        made.work.mkdir()
        shutil.copytree(ROOT / "hooks" / "terraform_action", made.work / "hook")
        (made.work / "main.tf").write_text(CONFIGURATION % sys.executable)
        (made.work / "contract.json").write_text(json.dumps(made.contract))
        own = {"ORCHESTRATE_POLL": "0.5", "ORCHESTRATE_DATABASE_TRANSPORT": "direct", "TF_INPUT": "0"}
        environment = {**found.environment(made.environment(**own)), "TF_CLI_CONFIG_FILE": str(configuration)}
        terraform = Terraform(made.work, environment)
        terraform.run("init", "-no-color")
        yield Acting(made, terraform)


def test_actions_bring_a_stack_to_life_and_are_seen(acting: Acting) -> None:
    failed = acting.apply("-var", 'arguments=["--tenant", "nobody"]', ok=False)
    assert "Error when invoking action" in failed
    assert "nobody" in failed, "what a failed run has said is shown"
    assert "No changes" in acting.apply(), "Terraform doesn't try a failed action again"

    hostname = acting.stage.contract["tenants"]["customer-a"]["hostname"]
    assert f"https://{hostname} answers with HTTP 200" in acting.apply(f"-invoke={RUN}")
    assert list(acting.stage.databases()) == ["onyx_customer_a"]

    again = ("-var", "again=1")
    foreseen = acting.orchestrate("plan", *again).of("finding-reported")
    assert [one["code"] for one in foreseen if one["code"].startswith("action-")] == ["action-invoked"]

    applied = acting.orchestrate("apply", "--auto-approve", *again).succeeded()
    told = [one["detail"] for one in applied.of("step-waiting") if one["step"] == "terraform"]
    assert any(f"Action started: {RUN}" in line for line in told)
    assert any("started by an orchestrate apply" in line for line in told), "nothing is done twice"
    (done,) = [one for one in applied.of("step-done") if one["step"] == "terraform"]
    assert done["detail"] == "1 added, 0 changed, 1 destroyed, actions invoked: 1"
    assert acting.orchestrate("apply", "--auto-approve", *again).succeeded().last["changed"] == 0


def test_day_two_is_invoked_by_hand(acting: Acting) -> None:
    """Each action that nothing triggers: backup, pause, resume, doctor."""
    acting.apply()
    acting.apply(f"-invoke={ACTION}.backup")
    assert vault_of(acting.stage.aws.client("s3"))
    acting.apply(f"-invoke={ACTION}.pause")
    assert desired(acting) == 0
    acting.apply(f"-invoke={ACTION}.resume")
    assert desired(acting) == 1
    said = acting.apply(f"-invoke={ACTION}.doctor", ok=False)
    assert "[certificate-not-issued]" in said, "that of a stack whose certificate nobody has asked for"


def desired(acting: Acting) -> int:
    """How many tasks of the tenant ECS shall keep running."""
    contract = acting.stage.contract
    service = contract["tenants"]["customer-a"]["service"]
    found = acting.stage.aws.client("ecs").describe_services(cluster=contract["cluster"], services=[service])
    return int(found["services"][0]["desiredCount"])
