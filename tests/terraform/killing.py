"""Terraform is killed in the middle of creating things, kind after kind, until nothing is left to create.

Between Terraform and the cloud stands a door. When the cloud has answered the create of a kind that is still to be
interrupted, Terraform and its provider are killed (SIGKILL) before they hear the answer, and that of whatever else they
create meanwhile: the objects exist, and the state knows nothing of them. The next `orchestrate apply --import-existing`
has to find them.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import psutil
import urllib3
from werkzeug.exceptions import GatewayTimeout
from werkzeug.wrappers import Response

from orchestrator.local.core.waiting import eventually
from orchestrator.terraform.resource_kinds import KINDS
from tests.e2e.recorder import action
from tests.e2e.stage import COMMAND_SECONDS, Ended
from tests.relay import asked, serving, taken
from tests.terraform.conftest import Terraform

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOG = logging.getLogger(__name__)
COMPANY = 10.0
"""Seconds for which the first answer is kept back, so that Terraform is in the middle of other creates too."""
_EC2, _ELB, _IAM, _S3 = "ec2", "elasticloadbalancing", "iam", "s3"
CREATES: Mapping[str, str] = {
    "aws_acm_certificate": "acm:RequestCertificate",
    "aws_cloudwatch_log_group": "logs:CreateLogGroup",
    "aws_db_instance": "rds:CreateDBInstance",
    "aws_db_subnet_group": "rds:CreateDBSubnetGroup",
    "aws_ebs_volume": f"{_EC2}:CreateVolume",
    "aws_ecs_cluster": "ecs:CreateCluster",
    "aws_ecs_service": "ecs:CreateService",
    "aws_ecs_task_definition": "ecs:RegisterTaskDefinition",
    "aws_eip": f"{_EC2}:AllocateAddress",
    "aws_elasticache_replication_group": "elasticache:CreateReplicationGroup",
    "aws_elasticache_subnet_group": "elasticache:CreateCacheSubnetGroup",
    "aws_iam_instance_profile": f"{_IAM}:CreateInstanceProfile",
    "aws_iam_role": f"{_IAM}:CreateRole",
    "aws_iam_role_policy": f"{_IAM}:PutRolePolicy",
    "aws_iam_role_policy_attachment": f"{_IAM}:AttachRolePolicy",
    "aws_instance": f"{_EC2}:RunInstances",
    "aws_internet_gateway": f"{_EC2}:CreateInternetGateway",
    "aws_lb": f"{_ELB}:CreateLoadBalancer",
    "aws_lb_listener": f"{_ELB}:CreateListener",
    "aws_lb_listener_rule": f"{_ELB}:CreateRule",
    "aws_lb_target_group": f"{_ELB}:CreateTargetGroup",
    "aws_nat_gateway": f"{_EC2}:CreateNatGateway",
    "aws_route": f"{_EC2}:CreateRoute",
    "aws_route_table": f"{_EC2}:CreateRouteTable",
    "aws_route_table_association": f"{_EC2}:AssociateRouteTable",
    "aws_s3_bucket": f"{_S3}:CreateBucket",
    "aws_s3_bucket_public_access_block": f"{_S3}:PutPublicAccessBlock",
    "aws_s3_bucket_versioning": f"{_S3}:PutBucketVersioning",
    "aws_secretsmanager_secret": "secretsmanager:CreateSecret",
    "aws_secretsmanager_secret_version": "secretsmanager:PutSecretValue",
    "aws_security_group": f"{_EC2}:CreateSecurityGroup",
    "aws_subnet": f"{_EC2}:CreateSubnet",
    "aws_volume_attachment": f"{_EC2}:AttachVolume",
    "aws_vpc": f"{_EC2}:CreateVpc",
    "aws_vpc_endpoint": f"{_EC2}:CreateVpcEndpoint",
    "aws_vpc_security_group_egress_rule": f"{_EC2}:AuthorizeSecurityGroupEgress",
    "aws_vpc_security_group_ingress_rule": f"{_EC2}:AuthorizeSecurityGroupIngress",
}
"""Kind of resource → the call by which Terraform's provider creates one."""

MADE_WITH_ANOTHER = frozenset({"aws_vpc_security_group_egress_rule"})
_OF_BUCKETS = {"": "CreateBucket", "publicAccessBlock": "PutPublicAccessBlock", "versioning": "PutBucketVersioning"}


def _called(environ: WSGIEnvironment, body: bytes) -> str:
    headers = {"Authorization": environ.get("HTTP_AUTHORIZATION", ""), "Content-Type": environ.get("CONTENT_TYPE", "")}
    if "HTTP_X_AMZ_TARGET" in environ:
        headers["X-Amz-Target"] = environ["HTTP_X_AMZ_TARGET"]
    called = action(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
    if called != f"{_S3}:PUT" or environ["PATH_INFO"].strip("/").count("/"):
        return called
    (what,) = [*parse_qs(environ["QUERY_STRING"], keep_blank_values=True), ""][:1]
    return f"{_S3}:{_OF_BUCKETS.get(what, what)}"


@dataclass
class Door:
    """What passes to the cloud. `made` counts the creates that it has carried out."""

    upstream: str
    pool: urllib3.PoolManager
    endpoint: str = ""
    waiting_for: set[str] = field(default_factory=set)
    """Calls of which the next one is Terraform's last."""
    victim: psutil.Process | None = None
    made: Counter[str] = field(default_factory=Counter)
    killed_at: str = ""
    killed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        wanted, body = taken(environ)
        called = _called(wanted, body)
        said = asked(self.pool, self.upstream, wanted, body)
        if called in CREATES.values() and said.status < 300:
            with self.lock:
                self.made[called] += 1
                first = called in self.waiting_for and not self.killed_at
                self.killed_at = self.killed_at or (called if first else "")
            if first:
                eventually(lambda: all(self.made[one] for one in self.waiting_for), COMPANY)
                self._kill()
            if self.killed_at:
                self.killed.wait()
                return GatewayTimeout()(environ, start)
        return Response(said.body, said.status, list(said.headers.items()))(environ, start)

    def _kill(self) -> None:
        """Terraform, and the provider that would go on for a moment; not who has started them."""
        assert self.victim is not None
        for one in self.victim.children(recursive=True):
            if "terraform" in one.name():
                one.kill()
        self.killed.set()


@contextmanager
def door(upstream: str) -> Iterator[Door]:
    with urllib3.PoolManager(maxsize=32) as pool:
        made = Door(upstream, pool)
        with serving(made) as endpoint:
            made.endpoint = endpoint
            yield made


@dataclass
class Sweep:
    """`orchestrate apply --import-existing` in `directory`, again and again."""

    directory: Path
    environment: Mapping[str, str]
    door: Door
    variables: tuple[str, ...] = ()
    imported: Counter[str] = field(default_factory=Counter)
    """How many of each kind were imported."""
    interrupted: list[str] = field(default_factory=list)
    """Kinds in whose creation Terraform was killed, in their order."""

    def through(self, kinds: Iterable[str]) -> Ended:
        """Kill in each of these kinds, then come to the end, which is given."""
        left = set(kinds)
        for _ in range(len(left) + 1):
            self.door.waiting_for = {CREATES[kind] for kind in left}
            ended = self.once()
            if not self.door.killed_at:
                return ended
            assert "terraform-killed" in ended.codes, f"{ended.stdout}\n{ended.stderr}"
            lost = {kind for kind in left if self.door.made[CREATES[kind]] > self.in_state()[kind]}
            caught = lost | {kind for kind in left if CREATES[kind] == self.door.killed_at}
            self.interrupted += sorted(caught)
            LOG.info("killed at %s, in the middle of %s", self.door.killed_at, ", ".join(sorted(caught)))
            left -= caught
        raise AssertionError(f"never came to its end; not interrupted yet: {left}")

    def once(self) -> Ended:
        """One apply, until it ends."""
        ended = self.run("apply", "--auto-approve", "--import-existing", "--no-preflight")
        found = [event for event in ended.of("finding-reported", "terraform") if "would import it" in event["detail"]]
        # It fails where Terraform was killed before it had written any state.
        held = Terraform(self.directory, self.environment).run("state", "list", ok=False).stdout.splitlines()
        self.imported.update(kind_of(one) for one in {event["subject"] for event in found}.intersection(held))
        return ended

    def run(self, *words: str) -> Ended:
        """A command, through the door; Terraform's own get its variables."""
        variables = self.variables if words[0] in ("apply", "plan") else ()
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator", *words, "--json", "--poll", "0.5", *variables],
            cwd=self.directory,
            env=dict(self.environment) | {"AWS_ENDPOINT_URL": self.door.endpoint},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.door.killed_at, self.door.victim = "", psutil.Process(process.pid)
            self.door.killed.clear()
            out, err = process.communicate(timeout=COMMAND_SECONDS)
        return Ended(process.returncode, out, err)

    def in_state(self) -> Counter[str]:
        """How many of each kind the state has."""
        file = self.directory / "terraform.tfstate"
        text = file.read_text() if file.exists() else ""  # empty: killed before it had written anything
        resources = json.loads(text)["resources"] if text else []
        managed = [one for one in resources if one["mode"] == "managed"]
        return Counter({kind: sum(len(one["instances"]) for one in managed if one["type"] == kind) for kind in CREATES})

    def miscounted(self) -> Mapping[str, tuple[int, int]]:
        """Kinds of which the cloud has made another number than the state has, and the two.

        AWS itself makes a rule with each security group: one that was imported was made by no call.
        """
        counts = {
            kind: (self.door.made[CREATES[kind]], held) for kind, held in self.in_state().items() if kind in KINDS
        }
        return {
            kind: (made, held)
            for kind, (made, held) in counts.items()
            if made > held or (made < held and kind not in MADE_WITH_ANOTHER)
        }


def kind_of(address: str) -> str:
    """`aws_vpc` of `module.network.aws_vpc.this[0]`."""
    found = re.findall(r"(?:^|\.)(aws_\w+)\.", re.sub(r'\["[^"]*"\]', "", address))
    return str(found[-1])
