"""What an interrupted and a killed terraform leave is kept and imported: the real binary and its AWS provider."""

from __future__ import annotations

import json
import shutil
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
from orchestrator.terraform.resource_kinds import KINDS
from tests import needed
from tests.e2e.stage import COMMAND_SECONDS, Ended, Stage
from tests.terraform.conftest import ROOT, Terraform
from tests.terraform.killing import Sweep, door

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
        self.stage, self.directory, self.environment = stage, directory, environment
        self.rds = stage.aws.client("rds")

    def begin(self, *more: str) -> subprocess.Popen[str]:
        words = ["apply", "--auto-approve", "--json", "--database-transport", "direct", "--poll", "0.5", *more]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator", *words, "--var", "password=of-no-importance"],
            env=self.environment,
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

    def in_state(self) -> list[str]:
        """Addresses."""
        return Terraform(self.directory, self.environment).run("state", "list").stdout.split()

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
    assert applies.changes()[0] == "import it: onyx-prod-killed"
    assert "aws_db_instance.killed" in applies.in_state()

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


def seen_of(stage: Stage, kind: str, name: str) -> existing.ExistingObject:
    (seen,) = existing.find(stage.aws.client, kind, {KINDS[kind].name: name})
    return seen


def test_what_has_a_name_is_found_by_it_with_its_status_and_tags(alive: Stage) -> None:
    client = alive.aws.client
    for kind, name in (NAMES | {"aws_instance": alive.contract["runner"]["instance_id"]}).items():
        seen = seen_of(alive, kind, name)
        assert seen.id == (alive.contract["load_balancer"]["arn"] if kind == "aws_lb" else name)
        assert not KINDS[kind].ready or seen.status in KINDS[kind].ready
    client("iam").tag_role(RoleName=NAMES["aws_iam_role"], Tags=[{"Key": "Stack", "Value": "onyx-prod"}])
    bucket = {"TagSet": [{"Key": "Stack", "Value": "onyx-prod"}]}
    client("s3").put_bucket_tagging(Bucket=NAMES["aws_s3_bucket"], Tagging=bucket)
    for kind in ("aws_iam_role", "aws_s3_bucket"):
        assert seen_of(alive, kind, NAMES[kind]).tags == {"Stack": "onyx-prod"}


def test_a_bucket_is_blank_while_it_has_neither_tags_nor_content(alive: Stage) -> None:
    s3 = alive.aws.client("s3")
    where = {"LocationConstraint": alive.contract["region"]}
    s3.create_bucket(Bucket="onyx-prod-just-made", CreateBucketConfiguration=where)
    assert seen_of(alive, "aws_s3_bucket", "onyx-prod-just-made").blank
    s3.put_object(Bucket="onyx-prod-just-made", Key="x", Body=b"x")
    assert not seen_of(alive, "aws_s3_bucket", "onyx-prod-just-made").blank


ABSENT: dict[str, dict[str, Any]] = {
    "aws_acm_certificate": {"domain_name": "nothing.example.com"},
    "aws_ebs_volume": {"availability_zone": "us-west-2a", "size": 7},
    "aws_ecs_service": {"cluster": "onyx-prod-cluster", "name": "nothing"},
    "aws_ecs_task_definition": {"family": "nothing"},
    "aws_iam_role_policy": {"role": "nothing", "name": "nothing"},
    "aws_iam_role_policy_attachment": {"role": "nothing", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    "aws_instance": {"id": "i-0123456789abcdef0"},
    "aws_lb_listener": {"load_balancer_arn": "BALANCER", "port": 8443},
    "aws_lb_listener_rule": {"listener_arn": "LISTENER", "priority": 4999},
    "aws_nat_gateway": {"subnet_id": "subnet-0123456789abcdef0"},
    "aws_route": {"route_table_id": "rtb-0123456789abcdef0", "destination_cidr_block": "0.0.0.0/0"},
    "aws_route_table_association": {"route_table_id": "rtb-0123456789abcdef0", "subnet_id": "subnet-0123456789abcdef0"},
    "aws_secretsmanager_secret": {"name_prefix": "onyx-prod/nothing-"},
    "aws_volume_attachment": {
        "volume_id": "vol-0123456789abcdef0",
        "instance_id": "i-0123456789abcdef0",
        "device_name": "/dev/sdf",
    },
    "aws_vpc_security_group_egress_rule": {"security_group_id": "sg-0123456789abcdef0", "ip_protocol": "-1"},
    "aws_vpc_security_group_ingress_rule": {"security_group_id": "sg-0123456789abcdef0", "ip_protocol": "-1"},
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_not_there_is_not_found(alive: Stage, kind: str) -> None:
    balancer = alive.contract["load_balancer"]["arn"]
    listener = alive.aws.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    wanted = ABSENT.get(kind) or {KINDS[kind].name or "vpc_id": "onyx-prod-nothing"}
    there = {key: {"BALANCER": balancer, "LISTENER": listener}.get(str(one), one) for key, one in wanted.items()}
    assert not existing.find(alive.aws.client, kind, {**there, "tags": {"Stack": "nobody"}})


NETWORK = """
module "network" {
  source      = "./modules/network"
  name        = "onyx-prod"
  cidr        = "10.77.0.0/16"
  region      = "us-west-2"
  nat_gateway = false
}

module "storage" {
  source        = "./modules/storage"
  bucket        = "onyx-prod-interrupted"
  force_destroy = true
}
"""


def test_terraform_is_killed_in_the_middle_of_a_network_and_of_a_bucket(applies: Applies) -> None:
    """Two kinds of the sweep over all (`make killed-terraform`): nothing is made twice."""
    shutil.copytree(ROOT / "terraform" / "modules", applies.directory / "modules")
    (applies.directory / "main.tf").write_text(CONFIGURATION.replace("%s", NETWORK))
    with door(applies.environment["AWS_ENDPOINT_URL"]) as between:
        sweep = Sweep(applies.directory, applies.environment, between, ("-var=password=of-no-importance",))
        sweep.through(["aws_vpc", "aws_s3_bucket"]).succeeded()
        assert {"aws_vpc", "aws_s3_bucket"} <= sweep.imported.keys()
        assert sweep.miscounted() == {}
        assert sweep.in_state()["aws_subnet"] == 4

        (applies.directory / "terraform.tfstate").unlink()
        assert sweep.run("plan", "--import-blocks", "imports.tf").status == 6
        planned = Terraform(applies.directory, applies.environment).run("plan", "-no-color", *sweep.variables)
        assert "to import, 2 to add, " in planned.stdout, "the bucket's two settings alone"
        sweep.run("apply", "--auto-approve").succeeded()
        assert sweep.miscounted() == {}
