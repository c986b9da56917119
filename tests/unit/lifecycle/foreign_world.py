"""A stack in memory some of whose parts are somebody else's. It records each change, and to what it was made.

The steps, the loop and the reading of the state are the real ones; the adapters are replaced. What Terraform says of
each part is a word: `managed`, `data` (only looked up) or `absent`; what AWS says is the tag `Stack`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from orchestrator.aws.autoscaling import Suspension
from orchestrator.aws.keys import Keys
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Report, run
from orchestrator.index.report import Contents
from orchestrator.lifecycle import destroy, pause
from orchestrator.lifecycle.backup import database_snapshot, index_snapshots
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp
from orchestrator.lifecycle.restore import counts_remembered, database_released, files_returned, keys_returned
from orchestrator.lifecycle.resume import database_started, instances_started, pause_forgotten, services_started
from orchestrator.lifecycle.tools import ReadSoFar
from orchestrator.rollout.memory import RunMemory
from orchestrator.rollout.situation import Rules
from orchestrator.stack.ownership import Part, PartKind
from orchestrator.steps import index_containers, redeploy, redis_auth
from tests.unit.lifecycle.foreign_doubles import (
    COPY,
    Agents,
    Cache,
    Ec2,
    Guards,
    Rds,
    Scalings,
    SecretsClient,
    Services,
    Snapshots,
    Store,
)
from tests.unit.lifecycle.foreign_state import SERVER, SERVICE, STACK, stack_of
from tests.unit.lifecycle.test_manifest import PART


@dataclass
class World:
    """`tags`: the tag `Stack` by part. `used`: host names and buckets that a service of somebody else names."""

    said: Mapping[Part, str]
    tags: Mapping[Part, str] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()
    asleep: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)
    changed: list[Part] = field(default_factory=list)
    seconds: float = 0.0
    states: dict[str, str] = field(default_factory=dict)
    desired: int = 1

    def __post_init__(self) -> None:
        self.states = {"postgres": "stopped" if self.asleep else "available"}
        self.states |= dict.fromkeys(("i-0aa", "i-0bb"), "stopped" if self.asleep else "running")
        self.desired = 0 if self.asleep else 1
        self.stamps = {TAG: str(Stamp("2026-11-20T09:00:00Z", "bob@desk"))} if self.asleep else {}
        self.memory = {TAG: str(PausedService(Stamp("2026-11-20T09:00:00Z", "bob@desk"), 3))} if self.asleep else {}
        self.released: set[str] = set()
        self.emptied = self.tokened = self.returned = self.mended = self.redeployed = False

    # Time.

    def now(self) -> datetime:
        return datetime(2026, 11, 26, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def tagged(self, part: Part) -> dict[str, str]:
        return {"Stack": self.tags[part]} if self.tags.get(part) else {}

    # RDS, EC2.

    def server(self, instance: str) -> ServerState:
        tags = {**self.tagged(SERVER), **self.stamps}
        return ServerState(instance, self.states[instance], "db.example.com", arn="arn:db", tags=tags)

    def stop(self, what: Any) -> None:
        for one in [what] if isinstance(what, str) else what:
            self.changed.append(SERVER if one == "postgres" else (PartKind.INSTANCE, one))
            self.states[one] = "stopped"

    def start(self, what: str) -> None:
        self.changed.append(SERVER if what == "postgres" else (PartKind.INSTANCE, what))
        self.states[what] = "available" if what == "postgres" else "running"

    def tag(self, arn: str, key: str, value: str) -> None:
        self.changed.append({"arn:db": SERVER, "arn:service": SERVICE}[arn])
        (self.stamps if arn == "arn:db" else self.memory)[key] = value

    def untag(self, arn: str, key: str) -> None:
        self.changed.append({"arn:db": SERVER, "arn:service": SERVICE}[arn])
        (self.stamps if arn == "arn:db" else self.memory).pop(key)

    def instances(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one: self.states[one] for one in ids}

    def instance_tags(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return {one: self.tagged((PartKind.INSTANCE, one)) for one in ids}

    # ECS.

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        tags = {**self.tagged(SERVICE), **self.memory}
        return {name: Count(name, "arn:service", self.desired, self.desired, tags=tags) for name in names}

    def scale(self, _name: str, desired: int) -> None:
        self.changed.append(SERVICE)
        self.desired = desired

    def suspend(self, _name: str, _suspended: Suspension) -> None:
        self.changed.append(SERVICE)

    # Others.

    def users(self, *names: str) -> tuple[str, ...]:
        return tuple(f"service of {name}" for name in names if name in self.used)


def ran(steps: Sequence[AnyStep], world: World, context: object) -> Report:
    alone = [replace(step, needs=(), timeout=5.0) for step in steps]
    return run(alone, context, clock=world, emit=lambda _event: None)


def tools_of(world: World) -> SimpleNamespace:
    stack, snapshots, services = stack_of(world.said, world.beside), Snapshots(world), Services(world)
    key = {"variable": "ENCRYPTION_KEY_SECRET", "kept": COPY, "outside": False}
    tenant = {"desired": 1, "hostname": "h", "record": "", "database": "d", "bytes": 1, "tables": {}, "settings": {}}
    kept = {"tenants": {"a": {**tenant, "keys": [key]}}}
    manifest = Manifest.model_validate({**PART, "state": "in-progress", "bucket": "backups", **kept})
    secrets = SecretsClient(world)
    return SimpleNamespace(
        stack=stack,
        manifest=manifest,
        tags={"orchestrate:backup": manifest.id, "orchestrate:stack": STACK},
        rds=Rds(world),
        ec2=Ec2(world),
        ssm=Agents(world),
        ecs=services,
        targets=services,
        logs=None,
        databases_made=set(),
        deployments={},
        keys=Keys(services, secrets, lambda _value: None),
        sealed_with=secrets.sealed_with,
        goes=lambda name: stack.ownership.manages(PartKind.SECRET, name) or stack.ownership.manages(PartKind.KEY, name),
        counts=world,
        autoscaling=Scalings(world),
        protection=Guards(world),
        buckets=Store(world),
        leftovers=None,
        snapshots=snapshots,
        volumes=snapshots,
        elasticache=Cache(world),
        secrets=SimpleNamespace(value=lambda _arn: "token"),
        redis_rotations=frozenset(),
        other_users=SimpleNamespace(users=world.users, strangers=lambda: world.strangers),
        stamp=Stamp.of(world.now(), "ana", "laptop"),
        now=world.now,
        started=world.now(),
        wait_rules=Rules(),
        monotonic=world.monotonic,
        refusals={},
        starts={},
        needs_runner=False,
        rollout_memory=RunMemory(),
        first_looks=FirstLooks(),
        memory=ReadSoFar(contents={"vespa:a": Contents(3, "d")}),
        lost=frozenset(),
        since=0.0,
        say=lambda _step, _text: None,
    )


REVERSIBLE: Mapping[str, tuple[AnyStep, ...]] = {
    "redeploy": (redeploy.STEP,),
    "pause": pause.steps(whole=True),
    "redis-auth": (redis_auth.STEP,),
    "vespa-containers": index_containers.STEPS,
    "index-snapshots": index_snapshots.STEPS,
    "database-snapshot": (database_snapshot.STEP,),
}
FINAL: Mapping[str, tuple[AnyStep, ...]] = {
    "destroy": destroy.BEFORE,
    "restore": (database_released.STEP, files_returned.STEP, keys_returned.STEP),
}
WAKING: tuple[AnyStep, ...] = (
    database_started.STEP,
    instances_started.STEP,
    services_started.STEP,
    counts_remembered.STEP,
    pause_forgotten.STEP,
)
