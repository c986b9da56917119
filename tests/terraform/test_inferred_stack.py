"""A stack that was not made for us: flat outputs, everything else in its state. From `init` to sites that answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local.core import api
from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain
from tests.terraform.conftest import ROOT, Terraform, every

pytestmark = [pytest.mark.terraform, pytest.mark.cloud, pytest.mark.slow]

STACK = ROOT / "tests" / "corpus" / "flat-outputs"
SECRETS = ("obviously-fake-postgres-password", "obviously-fake-redis-auth-token")


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Place:
    """The stack's directory, and a cloud of its own."""

    directory: Path
    environment: Mapping[str, str]

    def orchestrate(self, *arguments: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "orchestrator", *arguments],
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def aws(self, service: str) -> Any:
        return api.client(self.environment, service)


@pytest.fixture
def place(tmp_path: Path, tools: toolchain.Toolchain, terraform_environment: dict[str, str]) -> Iterator[Place]:
    shutil.copytree(STACK, tmp_path / "stack", ignore=shutil.ignore_patterns("*.json", ".terraform*"))
    running = client.up("inferred", tmp_path / "cloud", speed=300)
    try:
        environment = terraform_environment | client.ask(running, "env") | tools.choose(tmp_path / "stack")
        made = Place(tmp_path / "stack", environment)
        made.aws("route53").create_hosted_zone(Name="vigilon.app", CallerReference="test")
        yield made
    finally:
        client.down(tmp_path / "cloud")


def test_init_and_apply(place: Place) -> None:
    terraform = Terraform(place.directory, place.environment)
    terraform.run("init", "-no-color")
    terraform.run("apply", "-no-color", "-auto-approve")
    ssm = place.aws("ssm")
    ssm.put_parameter(Name="/orchestrate/onyx-prod/run-dead-1/0", Value="left by a crash", Type="SecureString")

    began = place.orchestrate("init")
    assert began.status == 0, began
    written = (place.directory / "orchestrate.toml").read_text()
    assert "[contract]" in written
    assert 'stack = "onyx-prod"' in written
    assert written in began.stdout

    shown = place.orchestrate("contract", "--json")
    contract = json.loads(shown.stdout)
    assert contract["provenance"]["runner.instance_id"] == "aws_instance.vespa: id"
    assert contract["tenants"]["customer-a-prod-service"]["hostname"] == "demo.vigilon.app"

    applied = place.orchestrate("apply", "--auto-approve", "--json", "--poll", "0.5")
    assert applied.status == 0, [line for line in applied.stdout.splitlines() if "failed" in line or "blocker" in line]
    details = [json.loads(line).get("detail", "") for line in applied.stdout.splitlines()]
    assert any("https://demo.vigilon.app answers with HTTP 200" in detail for detail in details)

    again = place.orchestrate("apply", "--auto-approve", "--json", "--poll", "0.5")
    assert (again.status, json.loads(again.stdout.splitlines()[-1])["changed"]) == (0, 0)
    looked = place.orchestrate("doctor", "--json")
    found = {
        event["code"] for event in map(json.loads, looked.stdout.splitlines()) if event["event"] == "finding-reported"
    }
    assert "certificate-not-issued" in found, "nobody published its validation records"
    assert "could-not-look" not in found, "the database too was looked into, with a password that was lent"

    assert every(ssm, "get_parameters_by_path", "Parameters", Path="/orchestrate", Recursive=True) == []
    sent = json.dumps([command["Parameters"] for command in every(ssm, "list_commands", "Commands")])
    records = "".join(file.read_text() for file in (place.directory / ".orchestrate").rglob("*") if file.is_file())
    said = "".join(one.stdout + one.stderr for one in (began, shown, applied, again, looked))
    assert "tenant-databases" in records
    for place_of_secrets in (sent, records, said, written):
        assert [secret for secret in SECRETS if secret in place_of_secrets] == []
