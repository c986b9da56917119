"""The README's story: apply, the same again, break, doctor, pause, resume, backup, destroy, restore, destroy."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.resolver
import trustme

from orchestrator.local.stories import demo
from orchestrator.local.stories.demo.progress import Applying
from orchestrator.local.stories.demo.stage import Stage, StoryError, nothing
from orchestrator.local.toolchain import toolchain
from tests.second_cloud import edge
from tests.smoke.account import Account

TENANT = "smoke"
ENVIRONMENT = "aws"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made."""

    name: str
    region: str
    hostname: str | None
    zone: str | None

    @property
    def stack(self) -> str:
        """The stack's name."""
        return f"{self.name}-{ENVIRONMENT}"

    @property
    def site(self) -> str:
        """The site's name."""
        return self.hostname or f"{self.stack}.invalid"

    def variables(self, certificate: str | None) -> dict[str, Any]:
        """Terraform's: the smallest stack there is, and nothing that guards its data."""
        return {
            "region": self.region,
            "name": self.name,
            "environment": ENVIRONMENT,
            "tenants": {TENANT: {"slot": 0, "hostname": self.site}},
            "dns": {"provider": "route53", "zone": self.zone, "ttl": 60} if self.zone else None,
            "certificate_arn": certificate,
            "orchestrate_command": f"{sys.executable} -P -m orchestrator",
            "log_prefix": f"/{self.stack}",
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
    """In a folder that stays until nothing of the stack is left."""

    def __init__(self, account: Account, plan: Plan, folder: Path, record: Path) -> None:
        self._account = account
        self._plan = plan
        self._record = record
        self._stage = Stage(folder.absolute(), folder.absolute() / "cloud", "smoke", 1, dict(os.environ))
        self._workdir = self._stage.folder / "terraform"

    def clean(self) -> None:
        """Nothing of an earlier run is left; raises StoryError where something stays."""
        if not self._stage.folder.exists():
            self._nobody_elses()
            return
        if (self._workdir / "terraform.tfstate").exists():
            self._stage.chapter("what an earlier run has left")
            self._stage.environ = toolchain.prepare(self._stage.environ, say=self._stage.say).environment(os.environ)
            self._terraform("destroy")
        self._leave_nothing()

    def _nobody_elses(self) -> None:
        """Without a folder of an earlier run, what bears the stack's name is not this kit's: nothing is deleted."""
        if found := self._account.left(self._plan.stack):
            raise StoryError(f"a stack {self._plan.stack} is there, and not from here: choose another --name", found)

    def _leave_nothing(self) -> None:
        stack = self._plan.stack
        for what in (*self._account.forget_backups(stack), *self._account.forget_certificates(stack)):
            self._stage.say(f"deleted: {what}")
        if left := self._account.left(stack):
            raise StoryError(f"{len(left)} things of {stack} are left in the account", left)
        shutil.rmtree(self._stage.folder, ignore_errors=True)

    def tell(self) -> None:
        """All of it. Raises StoryError at the first thing that isn't as it should be."""
        self._stage.folder.mkdir(parents=True)
        self._record.unlink(missing_ok=True)
        tools = toolchain.prepare(self._stage.environ, say=self._stage.say)
        demo.copy_sources(self._stage, tools)
        with self._site() as certificate:
            file = self._workdir / "smoke.auto.tfvars.json"
            file.write_text(json.dumps(self._plan.variables(certificate), indent=1))
            self._terraform("init")
            self._chapters()
        self._stage.chapter("nothing may be left")
        self._leave_nothing()

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
        found = self._account.client("elbv2").describe_load_balancers()["LoadBalancers"]
        names = [one["DNSName"] for one in found if one["LoadBalancerName"] == f"{self._plan.stack}-alb"]
        return f"{names[0].lower()}." if names else None

    def _chapters(self) -> None:
        stage, stack = self._stage, self._plan.stack
        stage.chapter("orchestrate apply")
        self._orchestrate("apply", "--auto-approve", show=True)
        stage.chapter("the same again: nothing is left to do")
        self._expect("apply", "--auto-approve", changed=0)
        stage.chapter("somebody stops the service")
        self._scale(0)
        if not self._findings():
            raise StoryError("the doctor finds nothing, though the service was scaled to 0")
        self._scale(1)
        self._orchestrate("run", show=True)
        stage.chapter("pause, and resume")
        self._orchestrate("pause", "--auto-approve", show=True)
        self._orchestrate("resume", show=True)
        stage.chapter("backup, destroy, restore")
        self._orchestrate("backup", show=True)
        self._orchestrate("destroy", "--confirm", stack, show=True)
        self._orchestrate("restore", "--auto-approve", show=True)
        self._expect("run", changed=0)
        stage.chapter("the end")
        self._orchestrate("destroy", "--no-backup", "--confirm", f"{stack} without backup", show=True)

    def _scale(self, count: int) -> None:
        cluster = f"{self._plan.stack}-cluster"
        ecs = self._account.client("ecs")
        service = ecs.list_services(cluster=cluster)["serviceArns"][0]
        ecs.update_service(cluster=cluster, service=service, desiredCount=count)

    def _findings(self) -> list[Mapping[str, Any]]:
        lines = self._orchestrate("doctor", "--json", accept=(0, 1))
        return [one for one in map(json.loads, _objects(lines)) if one.get("event") == "finding-reported"]

    def _expect(self, *arguments: str, changed: int) -> None:
        events = map(json.loads, _objects(self._orchestrate(*arguments, "--json")))
        said = next((one["changed"] for one in events if one.get("event") == "run-finished"), None)
        if said != changed:
            raise StoryError(f"`orchestrate {arguments[0]}` changed {said}, not {changed}")

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

    def _terraform(self, verb: str) -> None:
        binary = self._stage.environ["TERRAFORM_BIN"]
        flags = ["-auto-approve"] if verb != "init" else []
        command = [binary, verb, *flags, "-no-color", "-input=false"]
        self._stage.run(command, f"terraform {verb}", self._workdir, Applying())


def _objects(lines: list[str]) -> Iterator[str]:
    return (line for line in lines if line.startswith("{"))


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
