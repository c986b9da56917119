"""What an interrupted and a killed terraform leave is kept and imported: the real binary and its AWS provider."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.aws import existing
from orchestrator.engine.journal import records
from orchestrator.errors import Invalid
from orchestrator.local.core.waiting import eventually
from orchestrator.local.toolchain import toolchain
from orchestrator.terraform.leftovers import KINDS
from tests import needed
from tests.e2e.stage import COMMAND_SECONDS, Ended, Stage

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  default_tags {
    tags = { Stack = "onyx-prod" }
  }
}

variable "password" {
  type      = string
  sensitive = true
}

%s
output "orchestrator" {
  value = jsondecode(file("${path.module}/contract.json"))
}
"""
DATABASE = """
resource "aws_db_instance" "{name}" {{
  identifier          = "onyx-prod-{name}"
  engine              = "postgres"
  instance_class      = "db.t4g.small"
  allocated_storage   = 20
  username            = "onyx_root"
  password            = var.password
  skip_final_snapshot = true

  lifecycle {{
    # An import can't know these; to set them would take the provider's fixed half minute.
    ignore_changes = [password, apply_immediately]
  }}
}}
"""


class Applies:
    """`orchestrate apply` in a directory of the test's own."""

    def __init__(self, stage: Stage, directory: Path, environment: dict[str, str]) -> None:
        self.stage, self.directory, self._environment = stage, directory, environment
        self.rds = stage.aws.client("rds")

    def begin(self, *more: str) -> subprocess.Popen[str]:
        words = ["apply", "--auto-approve", "--json", "--database-transport", "direct", "--poll", "0.5", *more]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator", *words, "--var", "password=of-no-importance"],
            env=self._environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def reaches(self, process: subprocess.Popen[str], what: str, fact: Callable[[], Any]) -> Any:
        """The first true value of `fact`, while the command works: it must not end before."""
        seen = eventually(lambda: fact() or process.poll() is not None, COMMAND_SECONDS)
        if not seen or process.poll() is not None:
            process.kill()
            pytest.fail(f"never so: {what}\n{self.end(process)}")
        return seen

    @staticmethod
    def end(process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=COMMAND_SECONDS)
        return Ended(process.returncode, out, err)

    def database(self, name: str) -> dict[str, Any] | None:
        every = self.rds.describe_db_instances()["DBInstances"]
        return next((one for one in every if one["DBInstanceIdentifier"] == f"onyx-prod-{name}"), None)

    def write(self, *databases: str) -> None:
        parts = "".join(DATABASE.format(name=name) for name in databases)
        (self.directory / "main.tf").write_text(CONFIGURATION.replace("%s", parts))

    def changes(self) -> list[str]:
        """What the last run intended to change in Terraform's world."""
        last = max(records(self.directory / ".orchestrate" / "runs"), key=lambda record: record.run)
        return [one["detail"] for one in last.lines if one["event"] == "change-intended" and one["step"] == "terraform"]


@pytest.fixture
def applies(alive: Stage, tmp_path: Path) -> Iterator[Applies]:
    environment = alive.environment(AWS_ENDPOINT_URL=alive.cloud.running.endpoint)
    try:
        found = toolchain.prepare(environment)
    except Invalid as missing:
        needed.lacks(str(missing))
    (tmp_path / "contract.json").write_text(json.dumps(alive.contract))
    made = Applies(alive, tmp_path, found.environment(environment) | found.choose(tmp_path))
    yield made
    for child in psutil.Process().children(recursive=True):
        if "terraform" in child.name():
            child.kill()


def test_what_was_killed_is_imported_and_what_was_cut_off_is_kept(applies: Applies) -> None:
    applies.write("killed")
    process = applies.begin()
    unknown = applies.reaches(process, "the first database is being made", partial(applies.database, "killed"))
    for child in psutil.Process(process.pid).children():
        child.kill()
    assert "terraform-killed" in applies.end(process).codes

    refused = applies.end(applies.begin())
    assert refused.status == 3
    (problem,) = refused.of("step-failed")
    assert problem["code"] == "exists-outside-state"
    assert "terraform import aws_db_instance.killed onyx-prod-killed" in problem["fix"]
    assert applies.changes() == []

    applies.write("killed", "cut")
    process = applies.begin("--import-existing")
    cut = applies.reaches(process, "the second database is being made", partial(applies.database, "cut"))
    process.send_signal(signal.SIGTERM)
    interrupted = applies.end(process)
    assert interrupted.status == 130
    assert interrupted.of("step-done", "terraform", "aws_db_instance.killed")
    assert applies.changes()[0].startswith("import it: ")

    ended = applies.end(applies.begin()).succeeded()
    (kept,) = ended.of("step-done", "terraform", "aws_db_instance.cut")
    assert "its creation was interrupted, but it is available" in kept["detail"]
    assert applies.changes()[0].startswith("untaint it: ")
    for name, before in (("killed", unknown), ("cut", cut)):
        after = applies.database(name)
        assert after is not None
        assert after["DbiResourceId"] == before["DbiResourceId"], "it was never made again"
    assert not (applies.directory / ".terraform.tfstate.lock.info").exists()


NAMES = {
    "aws_db_instance": "onyx-prod-postgres",
    "aws_elasticache_replication_group": "onyx-prod-redis",
    "aws_lb": "onyx-prod-alb",
    "aws_s3_bucket": "onyx-prod-file-store-123456789012",
    "aws_iam_role": "onyx-prod-task-execution",
    "aws_cloudwatch_log_group": "/ecs/customer-a",
}


def test_each_kind_is_found_by_its_name_with_its_status_and_tags(alive: Stage) -> None:
    client = alive.aws.client
    names = NAMES | {"aws_instance": alive.contract["runner"]["instance_id"]}
    assert names.keys() == KINDS.keys()
    for kind, name in names.items():
        seen = existing.find(client, kind, name)
        assert seen is not None, kind
        assert seen.id == (alive.contract["load_balancer"]["arn"] if kind == "aws_lb" else name)
        assert not KINDS[kind].ready or seen.status in KINDS[kind].ready
    client("iam").tag_role(RoleName=NAMES["aws_iam_role"], Tags=[{"Key": "Stack", "Value": "onyx-prod"}])
    bucket = {"TagSet": [{"Key": "Stack", "Value": "onyx-prod"}]}
    client("s3").put_bucket_tagging(Bucket=NAMES["aws_s3_bucket"], Tagging=bucket)
    for kind in ("aws_iam_role", "aws_s3_bucket"):
        tagged = existing.find(client, kind, NAMES[kind])
        assert tagged is not None
        assert tagged.tags == {"Stack": "onyx-prod"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_not_there_is_not_found(alive: Stage, kind: str) -> None:
    name = "i-0123456789abcdef0" if kind == "aws_instance" else "onyx-prod-nothing"
    assert existing.find(alive.aws.client, kind, name) is None
