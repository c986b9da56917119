"""A stack of two tenants, and a provider whose zone a real name server serves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.aws.ecs import Service, Task
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.aws.listeners import ListenerRule, Routing
from orchestrator.aws.ssm import CommandOutput
from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.dns import names
from orchestrator.dns.model import DnsProvider, Record, ZonePlan
from orchestrator.dns.resolve import AskServers
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.step import Subject, Todo, Verdict
from orchestrator.engine.subjects import Attempts
from orchestrator.errors import Invalid, OrchestratorError, Problem
from orchestrator.local.dns.zone import Zone, ZoneEntry
from orchestrator.probe import Probe, Reached
from orchestrator.stack.contract import Stack
from orchestrator.steps import dns_records
from orchestrator.steps.dns_records import RecordRules

OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
ZONE = "example.org"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:one"


def stack(dns: Mapping[str, Any] | None, **hostnames: str) -> Stack:
    tenants = {
        name: {
            "database": f"onyx_{name}",
            "role": f"onyx_{name}",
            "secret_arn": SECRET,
            "service": f"{name}-prod-service",
            "hostname": hostname,
            "target_group_arn": f"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{name}/1",
            "log_group": f"/ecs/{name}",
        }
        for name, hostname in hostnames.items()
    }
    return Stack.model_validate(
        {
            "schema": 1,
            "stack": "onyx-prod",
            "account_id": "123456789012",
            "region": "us-west-2",
            "cluster": "onyx-prod-cluster",
            "database": {
                "instance": "onyx-prod-postgres",
                "host": "onyx-prod-postgres.c1.us-west-2.rds.amazonaws.com",
                "admin_user": "onyx_root",
                "admin_secret_arn": SECRET,
            },
            "runner": {"instance_id": "i-0123456789abcdef0"},
            "load_balancer": {
                "arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/onyx-prod-alb/1",
                "dns_name": NEW,
                "zone_id": "Z1",
            },
            "dns": dns,
            "tenants": tenants,
        }
    )


@dataclass
class Hosted:
    """A provider whose zone is what the name server serves. It spreads a change when told to."""

    held: dict[str, Record] = field(default_factory=dict)
    spread: bool = True
    asked: list[str] = field(default_factory=list)
    name: str = "hosted"
    apex: str = "ALIAS"
    minimum_ttl: int = 60
    zones_held: tuple[str, ...] = (ZONE,)

    def zones(self) -> frozenset[str]:
        self.asked.append("zones")
        return frozenset(self.zones_held)

    def check(self, zone: str) -> None:
        self.asked.append(f"check {zone}")

    def records(self, zone: str) -> frozenset[Record]:
        self.asked.append(f"records {zone}")
        if zone not in self.zones_held:
            raise Invalid(Problem("dns-zone-not-found", f"no zone {zone}"))
        return frozenset(one for one in self.held.values() if self.zone_of(one) == zone)

    def zone_of(self, record: Record) -> str:
        """A delegation is the parent's."""
        above = record.name.partition(".")[2] if record.type == "NS" else record.name
        return names.longest_match(above, self.zones_held)

    def submit(self, zone: str, plan: ZonePlan) -> str:
        self.asked.append(f"submit {len(plan.changes)}")
        for change in plan.changes:
            self.held.pop(change.name, None)
            self.held |= {record.name: record for record in change.after}
        return "ticket"

    def settled(self, ticket: str) -> bool:
        assert ticket == "ticket"
        return self.spread

    def served(self) -> list[Zone]:
        entries = [ZoneEntry(one.name, one.type, one.ttl or 60, one.values[0]) for one in self.held.values()]
        return [Zone(ZONE, tuple(entries))]


@dataclass
class Context:
    stack: Stack
    providers: Mapping[str, DnsProvider]
    dns_rules: RecordRules
    resolver: AskServers
    statuses: dict[str, int] = field(default_factory=dict)
    visits: list[tuple[str, str]] = field(default_factory=list)
    dns_tickets: list[tuple[str, str]] = field(default_factory=list)
    balancers: frozenset[str] = frozenset()
    internal: bool = False
    needs_runner: bool = True
    commands: list[str] = field(default_factory=list)
    unreadable: str = ""
    close_looks: CloseLooks = CloseLooks()  # noqa: RUF009 - frozen
    first_looks: FirstLooks = field(default_factory=lambda: FirstLooks(repeated=False))

    @property
    def targets(self) -> Context:
        return self

    def dns(self, provider: str) -> DnsProvider:
        return self.providers[provider]

    def alive(self, dns_names: Iterable[str]) -> frozenset[str]:
        return self.balancers & frozenset(dns_names)

    def probe(self, hostname: str, address: str, path: str) -> Probe:
        self.visits.append((hostname, address))
        body = '{"success":true,"message":"ok","data":null}' if path == "/api/health" else "<html>"
        return Probe(address, Reached.ANSWERED, self.statuses.get(hostname, 200), body=body)

    # What is inside: each tenant's own, unless a test says otherwise.

    @property
    def listeners(self) -> Context:
        return self

    @property
    def ecs(self) -> Context:
        return self

    @property
    def definitions(self) -> Context:
        return self

    def now(self) -> datetime:
        return NOW

    def routing(self, _load_balancer: str) -> Routing:
        tenants = enumerate(self.stack.tenants.values(), start=1)
        return Routing(
            internal=self.internal,
            rules=tuple(ListenerRule(443, n, (it.hostname,), False, (it.target_group_arn,)) for n, it in tenants),
        )

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        groups = {it.service: (it.target_group_arn,) for it in self.stack.tenants.values()}
        return {
            name: Service(name, "ACTIVE", 1, 1, 0, (), task_definition=name, target_groups=groups[name])
            for name in names
        }

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        return Attempts({name: (Task(name, "", name, "RUNNING", addresses=(f"{name}.ip",)),) for name in services})

    def health(self, target_group: str) -> TargetHealth:
        return TargetHealth({"healthy": 1})

    @property
    def ssm(self) -> Context:
        return self

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        """The runner: what it visits answers as the sites do."""
        self.commands.append(f"{instance_id}: {comment}")
        asked = json.loads(base64.b64decode(script.split()[2]))["visits"]
        probes = [self.probe(one["hostname"], one["address"], one["path"]) for one in asked]
        found = [{"reached": one.reached.value, "status": one.status, "body": one.body} for one in probes]
        return CommandOutput(json.dumps({"probes": found}), "", 0, "Success", "c")

    def definition(self, arn: str) -> TaskDefinition:
        if arn == self.unreadable:
            raise OrchestratorError(
                Problem("access-denied", "ecs:DescribeTaskDefinition is not allowed", arn, "allow it")
            )
        tenant = next(it for it in self.stack.tenants.values() if it.service == arn)
        said = {"POSTGRES_HOST": self.stack.database.host, "POSTGRES_DB": tenant.database}
        return TaskDefinition(arn, containers=(ContainerDefinition("api", environment=said),))


def verdicts(context: Context) -> Mapping[Subject, Verdict]:
    return dns_records.STEP.decide(dns_records.STEP.observe(context))


def settle(context: Context) -> Mapping[Subject, Verdict]:
    todos = {subject: verdict for subject, verdict in verdicts(context).items() if isinstance(verdict, Todo)}
    if todos:
        dns_records.STEP.apply(context, todos)
    return verdicts(context)
