"""The README's story: apply, again, break, doctor, repair, pause, resume, backup, destroy, restore, destroy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.resolver
import trustme

from orchestrator.local.core.waiting import eventually
from orchestrator.local.stories import demo
from orchestrator.local.stories.demo.progress import Applying
from orchestrator.local.stories.demo.stage import Stage, StoryError, nothing
from orchestrator.local.toolchain import toolchain
from tests.second_cloud import edge
from tests.smoke.account import Account
from tests.smoke.folder import TENANT, Plan
from tests.smoke.listening import listening
from tests.smoke.recording import Record
from tests.smoke.remains import remains

FILE, WORDS = f"onyx-files/{TENANT}/smoke.txt", b"This file outlives its bucket.\n"
LATE = 120.0
"""Seconds in which a change must show."""
STAYS = ("database snapshot ", "volume snapshot ", "certificate ", "record ")
"""What may be there after a destroy, beside the backups' bucket."""


def variables(plan: Plan, certificate: str | None) -> dict[str, Any]:
    """Terraform's: the smallest stack there is, and nothing that guards its data."""
    return {
        "region": plan.region,
        "account_id": plan.account,
        "name": plan.name,
        "environment": plan.mark,
        "tenants": {TENANT: {"slot": 0, "hostname": plan.site}},
        "dns": {"provider": "route53", "zone": plan.zone, "ttl": 60} if plan.zone else None,
        "certificate_arn": certificate,
        "orchestrate_command": f"{sys.executable} -P -m orchestrator",
        "log_prefix": f"/{plan.stack}",
        "nat_gateway": False,
        "redis_node_type": "cache.t4g.micro",
        "vespa_instance_type": "t3.medium",
        "vespa_volume_gb": 10,
        "deletion_protection": False,
        "postgres_final_snapshot": False,
        "bucket_force_destroy": True,
        "secret_recovery_days": 0,
    }


class Story:
    """Told in a folder that stays until nothing of the stack is left."""

    def __init__(self, account: Account, plan: Plan, stage: Stage, record: Path) -> None:
        self._account = account
        self._plan = plan
        self._stack = plan.of(account)
        self._stage = stage
        self._record = record
        self._workdir = stage.folder / "terraform"

    def tell(self) -> None:
        """All of it. Raises StoryError at the first thing that isn't as it should be."""
        self._record.unlink(missing_ok=True)
        stage = self._stage
        tools = toolchain.prepare(stage.environ, say=stage.say)
        demo.copy_sources(stage, tools)
        terraform = stage.environ["TERRAFORM_BIN"]
        with (
            self._site() as certificate,
            listening(Record(self._record), stage.folder, stage.environ, terraform) as heard,
        ):
            file = self._workdir / "smoke.auto.tfvars.json"
            file.write_text(json.dumps(variables(self._plan, certificate), indent=1))
            # Its registry is none of AWS's, and nobody's to listen to.
            stage.run([terraform, "init", "-no-color", "-input=false"], "terraform init", self._workdir, nothing)
            stage.environ["TERRAFORM_BIN"] = heard
            self._life()
            self._death_and_return()

    @contextmanager
    def _site(self) -> Iterator[str | None]:
        """The ARN of a certificate for a name that is ours alone; None: the name is real."""
        if self._plan.hostname:
            yield None
            return
        ca = trustme.CA()
        trusted = self._stage.folder / "ca.pem"
        others = self._stage.environ.get("ORCHESTRATE_CA_FILE")
        trusted.write_bytes(ca.cert_pem.bytes() + (Path(others).read_bytes() if others else b""))
        certificate = self._account.import_certificate(ca, self._plan.site, self._plan.stack)
        with edge.name_server(self._balancer, _resolved) as resolver:
            self._stage.environ |= {"ORCHESTRATE_CA_FILE": str(trusted), "ORCHESTRATE_RESOLVER": resolver}
            yield certificate

    def _balancer(self, name: str) -> str | None:
        if name.rstrip(".") != self._plan.site:
            return None
        found = self._stack.all("elbv2", "describe_load_balancers", "LoadBalancers[]")
        names = [one["DNSName"] for one in found if one["LoadBalancerName"] == f"{self._plan.stack}-alb"]
        return f"{names[0].lower()}." if names else None

    def _life(self) -> None:
        stage = self._stage
        stage.chapter("orchestrate apply")
        self._orchestrate("apply", "--auto-approve", show=True)
        stage.chapter("the same again: nothing is left to do")
        self._expect("apply", "--auto-approve", changed=0)
        self._expect("run", changed=0)
        stage.chapter("somebody stops the service: the doctor names the cause")
        self._scale(0)
        if "desired-count-zero" not in (codes := self._codes()):
            raise StoryError(f"the doctor says {codes}, though the service was scaled to 0")
        stage.say("desired-count-zero")
        stage.chapter("what the doctor advises, and run")
        self._scale(1)
        self._orchestrate("run", show=True)
        stage.chapter("pause, and resume")
        self._orchestrate("pause", "--auto-approve", show=True)
        if any(one["desiredCount"] for one in self._services()):
            raise StoryError("paused, and a service wants tasks")
        self._orchestrate("resume", show=True)

    def _death_and_return(self) -> None:
        stage, stack = self._stage, self._plan.stack
        stage.chapter("backup, destroy")
        bucket = {"Bucket": f"{stack}-file-store-{self._account.id}", "Key": FILE}
        self._account.client("s3").put_object(**bucket, Body=WORDS)
        self._orchestrate("backup", show=True)
        self._orchestrate("destroy", "--confirm", stack, show=True)
        self._after_destroy()
        stage.chapter("restore")
        self._orchestrate("restore", "--auto-approve", show=True)
        if self._account.client("s3").get_object(**bucket)["Body"].read() != WORDS:
            raise StoryError(f"{FILE} is not what it was")
        self._expect("run", changed=0)
        stage.chapter("the end")
        self._orchestrate("destroy", "--no-backup", "--confirm", f"{stack} without backup", show=True)
        self._after_destroy()

    def _after_destroy(self) -> None:
        """Asked of AWS: what should survive has, and nothing else has."""
        stays = (*STAYS, f"bucket {self._plan.stack}-backups-")
        found: list[str] = []

        def more() -> list[str]:
            found[:] = remains(self._stack)
            return [one for one in found if not one.startswith(stays)]

        if not eventually(lambda: not more(), LATE, 5.0):
            raise StoryError("things outlive the destroy", more())
        if gone := [one for one in (*stays[:2], stays[-1]) if not any(what.startswith(one) for what in found)]:
            raise StoryError("the backup does not outlive the destroy", gone)

    def _services(self) -> list[Mapping[str, Any]]:
        cluster = f"{self._plan.stack}-cluster"
        arns = self._stack.all("ecs", "list_services", "serviceArns[]", cluster=cluster)
        return list(self._account.client("ecs").describe_services(cluster=cluster, services=arns)["services"])

    def _scale(self, count: int) -> None:
        ecs = self._account.client("ecs")
        for one in self._services():
            ecs.update_service(cluster=one["clusterArn"], service=one["serviceArn"], desiredCount=count)
        if not eventually(lambda: {one["desiredCount"] for one in self._services()} == {count}, LATE, 1.0):
            raise StoryError(f"the service doesn't get the desired count {count}")

    def _codes(self) -> list[str]:
        """Of the doctor's findings."""
        lines = self._orchestrate("doctor", "--json", accept=(0, 1))
        return [one["code"] for one in _events(lines) if one.get("event") == "finding-reported"]

    def _expect(self, *arguments: str, changed: int) -> None:
        events = list(_events(self._orchestrate(*arguments, "--json")))
        said = next((one["changed"] for one in events if one.get("event") == "run-finished"), None)
        if said != changed:
            course = [f"{one['step']}: {one['detail']}" for one in events if one.get("step") and one.get("detail")]
            raise StoryError(f"`orchestrate {arguments[0]}` changed {said}, not {changed}", course)
        self._stage.say(f"changed: {said}")

    def _orchestrate(self, *arguments: str, show: bool = False, accept: tuple[int, ...] = (0,)) -> list[str]:
        command = [sys.executable, "-P", "-m", "tests.smoke.recording", str(self._record), *arguments]
        environment = self._stage.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        stage = Stage(self._stage.folder, self._stage.cloud, "smoke", 1, environment, self._stage.started)
        try:
            return stage.run(
                command, f"orchestrate {' '.join(arguments)}", self._workdir, Applying() if show else nothing
            )
        except StoryError as failure:
            if 1 in accept and "exit status 1" in str(failure):
                return list(failure.tail)
            raise


def _events(lines: list[str]) -> Iterator[Mapping[str, Any]]:
    return (json.loads(line) for line in lines if line.startswith("{"))


def _resolved(name: str) -> list[str]:
    """A load balancer's addresses, as the world knows them (or the resolver that the environment names)."""
    chosen = os.environ.get("ORCHESTRATE_RESOLVER")
    resolver = dns.resolver.Resolver(configure=not chosen)
    if chosen:
        address, _, port = chosen.rpartition(":")
        resolver.nameservers, resolver.port = [address], int(port)
    try:
        return [rdata.to_text() for rdata in resolver.resolve(name, "A")]
    except dns.exception.DNSException:
        return []
