"""A stack in memory some of whose parts are somebody else's. It records each change, and to what it was made.

The steps, the loop and the reading of the state are the real ones; the adapters are replaced. What Terraform says of
each part is a word: `managed`, `data` (only looked up) or `absent`; what AWS says is the tag `Stack`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.aws.buckets import BucketState, Stored
from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.protection import Protected
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.aws.ssm import CommandOutput, Ping
from orchestrator.aws.volumes import DataVolume, VolumeSnapshot
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Report, run
from orchestrator.lifecycle import destroy, pause, pruned
from orchestrator.lifecycle.backup import database_snapshot, index_snapshots
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp
from orchestrator.lifecycle.restore import counts_remembered, database_released, files_returned, keys_returned
from orchestrator.lifecycle.resume import database_started, instances_started, pause_forgotten, services_started
from orchestrator.lifecycle.tools import Contents, ReadSoFar
from orchestrator.rollout.memory import RunMemory
from orchestrator.stack import contract
from orchestrator.stack.contract import Stack
from orchestrator.stack.inference import state as states
from orchestrator.stack.inference.owned import ownership_of
from orchestrator.stack.ownership import Known, Part, PartKind
from orchestrator.steps import redis_auth, vespa_containers
from tests.unit.lifecycle.test_manifest import PART

STACK, OTHER = "onyx-prod", "onyx-prod-2"
BALANCER = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/onyx/1"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret"
SERVER = (PartKind.DATABASE, "postgres")
REDIS = (PartKind.REDIS, "redis")
BUCKET = (PartKind.BUCKET, "files")
RUNNER, VESPA = (PartKind.INSTANCE, "i-0aa"), (PartKind.INSTANCE, "i-0bb")
SERVICE = (PartKind.SERVICE, "cluster/a-service")
KEY = (PartKind.SECRET, f"{SECRET}:key-AbCdEf")
PARTS: Mapping[Part, tuple[str, dict[str, Any]]] = {
    SERVER: ("aws_db_instance", {"identifier": "postgres"}),
    (PartKind.BALANCER, BALANCER): ("aws_lb", {"arn": BALANCER}),
    REDIS: ("aws_elasticache_replication_group", {"replication_group_id": "redis"}),
    BUCKET: ("aws_s3_bucket", {"bucket": "files"}),
    RUNNER: ("aws_instance", {"id": "i-0aa"}),
    VESPA: ("aws_instance", {"id": "i-0bb"}),
    SERVICE: ("aws_ecs_service", {"name": "a-service", "cluster": "arn:aws:ecs:us-west-2:1:cluster/cluster"}),
    KEY: ("aws_secretsmanager_secret", {"arn": f"{SECRET}:key-AbCdEf"}),
}


def document(said: Mapping[Part, str]) -> dict[str, Any]:
    """`terraform show -json` of a state in which each part is what its word says."""
    resources = [
        {
            "address": f"{'data.' if said[part] == 'data' else ''}{kind}.{number}",
            "mode": "managed" if said[part] == "managed" else "data",
            "type": kind,
            "values": values,
        }
        for number, (part, (kind, values)) in enumerate(PARTS.items())
        if said[part] != "absent"
    ]
    return {"values": {"root_module": {"resources": resources}}}


def stack_of(said: Mapping[Part, str]) -> Stack:
    made = contract.parse(
        {
            "schema": 1,
            "stack": STACK,
            "account_id": "123456789012",
            "region": "us-west-2",
            "cluster": "cluster",
            "database": {
                "instance": "postgres",
                "host": "db.example.com",
                "admin_user": "root",
                "admin_secret_arn": f"{SECRET}:admin-AbCdEf",
            },
            "runner": {"instance_id": "i-0aa"},
            "load_balancer": {"arn": BALANCER, "dns_name": "onyx.example.com", "zone_id": "Z1"},
            "bucket": "files",
            "redis": {
                "replication_group": "redis",
                "host": "redis.example.com",
                "auth_secret_arn": f"{SECRET}:t-AbCdEf",
            },
            "vespa": {"a": {"instance_id": "i-0bb", "host": "10.0.0.5"}},
            "tenants": {
                "a": {
                    "database": "onyx_a",
                    "role": "onyx_a",
                    "secret_arn": f"{SECRET}:a-AbCdEf",
                    "service": "a-service",
                    "hostname": "a.example.com",
                    "target_group_arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1",
                    "log_group": None,
                }
            },
        },
        "test",
    )
    return made.owning(Known(lambda: ownership_of(states.read(document(said)))))


@dataclass
class World:
    """`tags`: the tag `Stack` by part. `used`: host names and buckets that a service of somebody else names."""

    said: Mapping[Part, str]
    tags: Mapping[Part, str] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()
    asleep: bool = False
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
        self.emptied = self.tokened = self.returned = self.mended = False

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
        self.changed.append(SERVER if arn == "arn:db" else SERVICE)
        (self.stamps if arn == "arn:db" else self.memory)[key] = value

    def untag(self, arn: str, key: str) -> None:
        self.changed.append(SERVER if arn == "arn:db" else SERVICE)
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


class Rds:
    def __init__(self, world: World) -> None:
        self.server, self.stop, self.start, self.tag, self.untag = (
            world.server,
            world.stop,
            world.start,
            world.tag,
            world.untag,
        )


@dataclass
class Ec2:
    world: World

    def states(self, ids: Sequence[str]) -> Mapping[str, str]:
        return self.world.instances(ids)

    def state(self, one: str) -> str:
        return self.world.states[one]

    def tags(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return self.world.instance_tags(ids)

    def stop(self, ids: Sequence[str]) -> None:
        self.world.stop(list(ids))

    def start(self, one: str) -> None:
        self.world.start(one)

    def user_data(self, _one: str) -> str:
        return ""


@dataclass
class Scalings:
    world: World

    def targets(self, services: Sequence[str]) -> Mapping[str, Scaling]:
        return {}

    def suspend(self, service: str, suspended: Suspension) -> None:
        self.world.suspend(service, suspended)


@dataclass
class Guards:
    world: World

    def seen(self, _instance: str, balancer: str) -> Protected:
        left = {"database", "balancer"} - self.world.released
        return Protected("database" in left, bool(balancer) and "balancer" in left, tags=self.world.tagged(SERVER))

    def balancer_tags(self, arn: str) -> Mapping[str, str]:
        return self.world.tagged((PartKind.BALANCER, arn))

    def release_database(self, instance: str) -> None:
        self.world.changed.append((PartKind.DATABASE, instance))
        self.world.released.add("database")

    def release_balancer(self, arn: str) -> None:
        self.world.changed.append((PartKind.BALANCER, arn))
        self.world.released.add("balancer")


@dataclass
class Store:
    """The stack's bucket holds one object, the backup another one."""

    world: World

    def state(self, _bucket: str) -> BucketState:
        return BucketState(there=True, versioned=True, private=True)

    def tags(self, bucket: str) -> Mapping[str, str]:
        return self.world.tagged((PartKind.BUCKET, bucket))

    def versions(self, bucket: str, _prefix: str = "") -> Iterator[tuple[str, str]]:
        if bucket == "files" and not self.world.emptied:
            yield "k", "1"

    def objects(self, bucket: str, prefix: str = "") -> tuple[Stored, ...]:
        kept = (Stored(f"{prefix}new", 1, "e", 5.0),)
        return kept if bucket != "files" or self.world.returned else ()

    def delete(self, bucket: str, wanted: Iterable[tuple[str, str]]) -> int:
        found = list(wanted)
        if found and bucket == "files":
            self.world.changed.append(BUCKET)
            self.world.emptied = True
        return len(found)

    def copy(self, _source: str, _found: Stored, target: str, _key: str) -> bool:
        self.world.changed.append((PartKind.BUCKET, target))
        self.world.returned = True
        return True


@dataclass
class Cache:
    world: World

    def group(self, name: str) -> RedisState:
        return RedisState(name, "available", tls=True, auth=self.world.tokened, arn="arn:redis")

    def is_rotating(self, _arn: str) -> bool:
        return False

    def tags(self, _arn: str) -> Mapping[str, str]:
        return self.world.tagged(REDIS)

    def rotate(self, group: RedisState, _token: str) -> None:
        self.world.changed.append((PartKind.REDIS, group.group))
        self.world.tokened = True

    settle = rotate


@dataclass
class Agents:
    """Vespa's container has exited, until it is started. The index has documents to be counted."""

    world: World

    def pings(self, ids: Sequence[str]) -> Mapping[str, Ping]:
        return {one: Ping("Online") for one in ids}

    def run(self, instance: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        del timeout
        if "read-only" not in comment and "look index" not in comment and "count index" not in comment:
            self.world.changed.append((PartKind.INSTANCE, instance))
            self.world.mended = True
        inside = {
            "dockerd": True,
            "booting": False,
            "healthy": self.world.mended,
            "pulled": True,
            "container": {"state": "running" if self.world.mended else "exited"},
        }
        said = {
            "documents": 3,
            "digest": "d",
            "running": "stop index" not in comment and not self.world.mended,
            **inside,
        }
        return CommandOutput(json.dumps(said), "", 0, "Success", "c")


@dataclass
class Snapshots:
    """RDS's and EBS's, each with the tags of whoever took it."""

    world: World
    rds: dict[str, dict[str, str]] = field(default_factory=dict)
    ebs: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def find(self, name: str) -> DbSnapshot:
        there = name in self.rds
        return DbSnapshot(name, "available" if there else "", encrypted=True, tags=self.rds.get(name, {}))

    def take(self, what: str, name: str, tags: Mapping[str, str]) -> str:
        if what == "postgres":
            self.world.changed.append(SERVER)
            self.rds[name] = dict(tags)
        else:
            self.world.changed.append(VESPA)
            self.ebs["snap-new"] = dict(tags)
        return "snap-new"

    def delete(self, name: str) -> None:
        self.gone.append(name)
        self.rds.pop(name, None)
        self.ebs.pop(name, None)

    def snapshots(self, tags: Mapping[str, str]) -> tuple[VolumeSnapshot, ...]:
        mine = {name: said for name, said in self.ebs.items() if tags.items() <= said.items()}
        return tuple(VolumeSnapshot(name, "completed", tags=said) for name, said in mine.items())

    def of_instances(self, ids: Sequence[str]) -> Mapping[str, tuple[DataVolume, ...]]:
        return {one: (DataVolume("vol-1", 50, encrypted=True),) for one in ids}


def ran(steps: Sequence[AnyStep], world: World, context: object) -> Report:
    alone = [replace(step, needs=(), timeout=5.0) for step in steps]
    return run(alone, context, clock=world, emit=lambda _event: None)


def tools_of(world: World) -> SimpleNamespace:
    stack, snapshots = stack_of(world.said), Snapshots(world)
    manifest = Manifest.model_validate({**PART, "state": "in-progress", "bucket": "backups"})
    return SimpleNamespace(
        stack=stack,
        manifest=manifest,
        tags={"orchestrate:backup": manifest.id, "orchestrate:stack": STACK},
        rds=Rds(world),
        ec2=Ec2(world),
        ssm=Agents(world),
        counts=world,
        autoscaling=Scalings(world),
        protection=Guards(world),
        buckets=Store(world),
        leftovers=None,
        snapshots=snapshots,
        volumes=snapshots,
        elasticache=Cache(world),
        secrets=SimpleNamespace(value=lambda _arn: "token"),
        other_users=SimpleNamespace(users=world.users, strangers=lambda: world.strangers),
        stamp=Stamp.of(world.now(), "ana", "laptop"),
        now=world.now,
        monotonic=world.monotonic,
        refusals={},
        needs_runner=False,
        rollout_memory=RunMemory(),
        first_looks=FirstLooks(),
        memory=ReadSoFar(contents={"a": Contents(3, "d")}),
        lost=frozenset(),
        since=0.0,
        say=lambda _step, _text: None,
    )


REVERSIBLE: Mapping[str, tuple[AnyStep, ...]] = {
    "pause": pause.steps(whole=True),
    "redis-auth": (redis_auth.STEP,),
    "vespa-containers": (vespa_containers.STEP,),
    "index-snapshots": (index_snapshots.STEP,),
    "database-snapshot": (database_snapshot.STEP,),
}
FINAL: Mapping[str, tuple[AnyStep, ...]] = {
    "destroy": destroy.BEFORE,
    "restore": (database_released.STEP, files_returned.STEP),
}
WAKING: tuple[AnyStep, ...] = (
    database_started.STEP,
    instances_started.STEP,
    services_started.STEP,
    counts_remembered.STEP,
    pause_forgotten.STEP,
)
__all__ = ["FINAL", "REVERSIBLE", "WAKING", "World", "keys_returned", "pruned", "ran", "tools_of"]
