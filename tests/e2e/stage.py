"""The stage of the end-to-end tests: a local cloud, the example stack in it, and the real command line."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import boto3
import dns.message
import dns.query
import psycopg

from orchestrator.local import world
from orchestrator.local.endpoint import client
from tests.e2e.recorder import Recorder, recording
from tests.local.local_cloud import Aws, LocalCloud, aws_of
from tests.waiting import PATIENCE, until

SPEED = 200.0
COMMAND_SECONDS = 600
"""A command that takes longer hangs."""

Contract = dict[str, Any]
Event = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def last(self) -> Event:
        return self.events[-1]

    def of(self, event: str, step: str | None = None, subject: str | None = None) -> list[Event]:
        return [
            one
            for one in self.events
            if one["event"] == event and step in (None, one["step"]) and subject in (None, one["subject"])
        ]

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """Step, subject, code of everything that failed."""
        return [(one["step"], one["subject"], one["code"]) for one in self.of("step-failed")]

    @property
    def codes(self) -> set[str]:
        return {one["code"] for one in self.of("step-failed")}

    def succeeded(self) -> Ended:
        assert self.status == 0, f"exit status {self.status}\n{self.stdout}\n{self.stderr}"
        assert self.last["outcome"] == "succeeded"
        return self


@dataclass
class Stage:
    """One cloud, one stack."""

    cloud: LocalCloud
    folder: Path
    recorder: Recorder
    contract: Contract = field(default_factory=dict)
    seconds: float = COMMAND_SECONDS

    @property
    def aws(self) -> Aws:
        return aws_of(self.cloud)

    @property
    def work(self) -> Path:
        """Where the command runs: a directory that is empty at first."""
        return self.folder / "work"

    def environment(self, **more: str | None) -> dict[str, str]:
        """What the command sees: nothing of ours but what `local env` says. None takes a variable away."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        said = self.cloud.ask("env") | {"AWS_ENDPOINT_URL": self.recorder.endpoint, "HOME": str(self.folder)}
        return {name: value for name, value in (inherited | said | more).items() if value is not None}

    def run(self, *arguments: str, contract: Contract | None = None, **more: str | None) -> Ended:
        """`orchestrate run --json` on the stack's contract (or another one)."""
        return self.command("run", *arguments, "--json", contract=contract, **more)

    def direct(self, *arguments: str, contract: Contract | None = None, **more: str | None) -> Ended:
        """The same, to the database without the runner: quicker, for what isn't about SSM."""
        return self.run("--database-transport", "direct", *arguments, contract=contract, **more)

    def command(self, name: str, *arguments: str, contract: Contract | None = None, **more: str | None) -> Ended:
        """A command that takes a contract."""
        file = self.folder / "contract.json"
        file.write_text(json.dumps(contract or self.contract))
        return self.orchestrate(name, "--contract", str(file), "--poll", "0.5", *arguments, variables=more)

    def started(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that takes a contract, left running: to be killed."""
        file = self.folder / "contract.json"
        file.write_text(json.dumps(self.contract))
        self.work.mkdir(exist_ok=True)
        command = (name, "--contract", str(file), "--poll", "0.5", *arguments, "--json")
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator", *command],
            env=self.environment(),
            cwd=self.work,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def orchestrate(self, *arguments: str, stdin: str = "", variables: Mapping[str, str | None] | None = None) -> Ended:
        """The real command line, as a process of its own."""
        self.work.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "orchestrator", *arguments],
            input=stdin,
            env=self.environment(**(variables or {})),
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
            timeout=self.seconds,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def changed(self, **keys: Any) -> Contract:
        """A copy of the contract with other values at `part__key`."""
        made = copy.deepcopy(self.contract)
        for place, value in keys.items():
            *parts, last = place.split("__")
            part = made
            for name in parts:
                part = part[name.replace("customer_", "customer-")]
            part[last] = value
        return made

    def fault(self, name: str, tenant: str = "") -> None:
        self.cloud.ask("faults", "POST", name=name, tenant=tenant)

    def clear_faults(self) -> None:
        self.cloud.ask("faults", "DELETE")

    # What is really there.

    def secret(self, arn: str) -> Any:
        value = self.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return json.loads(value) if value.startswith("{") else value

    def login(self, user: str, password: str, database: str) -> psycopg.Connection:
        ip, port = self.cloud.ask("env")["ORCHESTRATE_DATABASE_ADDRESS"].rsplit(":", 1)
        return psycopg.connect(host=ip, port=int(port), user=user, password=password, dbname=database, autocommit=True)

    def admin(self) -> psycopg.Connection:
        database = self.contract["database"]
        return self.login(database["admin_user"], self.secret(database["admin_secret_arn"])["password"], "postgres")

    def tenant_login(self, tenant: str, database: str | None = None) -> psycopg.Connection:
        said = self.contract["tenants"][tenant]
        return self.login(said["role"], self.secret(said["secret_arn"])["password"], database or said["database"])

    def query(self, text: LiteralString) -> list[tuple[Any, ...]]:
        with self.admin() as admin:
            return admin.execute(text).fetchall()

    def databases(self) -> dict[str, str]:
        """Database → owner, without the server's own."""
        return dict(self.query("SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname LIKE 'onyx%'"))

    def service(self, tenant: str) -> dict[str, Any]:
        name = self.contract["tenants"][tenant]["service"]
        ecs = self.aws.client("ecs")
        found: dict[str, Any] = ecs.describe_services(cluster=self.contract["cluster"], services=[name])["services"][0]
        return found

    def deployment(self, tenant: str) -> str:
        """The id of the service's PRIMARY deployment."""
        return next(str(one["id"]) for one in self.service(tenant)["deployments"] if one["status"] == "PRIMARY")

    def records(self) -> dict[str, str]:
        """Hostname → what its CNAME says, in Route 53."""
        route53 = self.aws.client("route53")
        found = {}
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for one in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                if one["Type"] == "CNAME":
                    found[one["Name"].rstrip(".")] = one["ResourceRecords"][0]["Value"].rstrip(".")
        return found

    def resolve(self, name: str) -> list[str]:
        """What a real query to the cloud's DNS server says, link by link."""
        ip, port = self.cloud.env["ORCHESTRATE_RESOLVER"].rsplit(":", 1)
        answer = dns.query.udp(dns.message.make_query(name, "A"), ip, port=int(port), timeout=PATIENCE)
        return [rdata.to_text().rstrip(".") for rrset in answer.answer for rdata in rrset]

    def commands(self) -> list[dict[str, Any]]:
        """Every SSM command ever sent, oldest first."""
        pages = self.aws.client("ssm").get_paginator("list_commands").paginate()
        found: list[dict[str, Any]] = list(pages.search("Commands[]"))
        return sorted(found, key=lambda command: command["RequestedDateTime"])

    def world(self) -> Mapping[str, Any]:
        """All that a run could change: equal before and after means that nothing was changed."""
        redis = self.aws.client("elasticache").describe_replication_groups()["ReplicationGroups"]
        return {
            "databases": self.databases(),
            "roles": self.query("SELECT rolname FROM pg_roles ORDER BY 1"),
            "records": self.records(),
            "deployments": {tenant: self.deployment(tenant) for tenant in self.contract["tenants"]},
            "redis": [(one["Status"], one.get("AuthTokenEnabled")) for one in redis],
            "commands": len(self.commands()),
        }


def paused_at(made: Stage, tenant: str) -> str:
    """The hook at which the newest deployment of the tenant's service waits; empty: at none."""
    ecs = made.aws.client("ecs")
    where = {"cluster": made.contract["cluster"], "service": made.contract["tenants"][tenant]["service"]}
    listed = ecs.list_service_deployments(**where)["serviceDeployments"]
    arns = [one["serviceDeploymentArn"] for one in listed]
    found = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"] if arns else []
    newest: Any = max(found, key=lambda one: one["createdAt"], default={})
    hooks = newest.get("lifecycleHookDetails", ())
    return next((str(one["hookId"]) for one in hooks if one["status"] == "AWAITING_ACTION"), "")


@contextmanager
def stage(
    folder: Path,
    *,
    speed: float = SPEED,
    tenants: tuple[str, ...] = ("customer-a", "customer-b"),
    enforce_iam: bool = False,
    region: str = "us-west-2",
    provider: str = "route53",
    rates: float | None = None,
    onyx: Mapping[str, int] | None = None,
) -> Iterator[Stage]:
    """A cloud with the example stack as Terraform leaves it: half alive, its database server available.

    `onyx` is the major version of a tenant, where it is another than 2.
    """
    running = client.up("e2e", folder / "cloud", speed=speed, enforce_iam=enforce_iam, region=region, rates=rates)
    try:
        cloud = LocalCloud(folder / "cloud", running, client.ask(running, "env"))
        with recording(running.endpoint) as recorder:
            made = Stage(cloud, folder, recorder)
            session: boto3.Session = made.aws.session
            made.contract = world.build(
                session, endpoint=running.endpoint, tenants=tenants, provider=provider, onyx=onyx
            )
            rds = made.aws.client("rds")
            until(
                "RDS is available",
                lambda: rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available",
            )
            yield made
    finally:
        client.down(folder / "cloud")
