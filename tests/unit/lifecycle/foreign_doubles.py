"""Adapters of a `World`: each change is recorded, with what it was made to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.aws.buckets import BucketState, Stored
from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.aws.protection import Protected
from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.aws.ssm import CommandOutput, Ping
from orchestrator.aws.volumes import DataVolume, VolumeSnapshot
from orchestrator.stack.ownership import PartKind
from tests.shells import OneByOne
from tests.unit.lifecycle.foreign_state import BUCKET, CMK, KEY, REDIS, SERVER, SERVICE, VESPA

if TYPE_CHECKING:
    from tests.unit.lifecycle.foreign_world import World


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

    def seen(self, _instance: str, balancer: str, _kind: str) -> Protected:
        left = {"database", "balancer"} - self.world.released
        return Protected("database" in left, bool(balancer) and "balancer" in left, tags=self.world.tagged(SERVER))

    def balancer_tags(self, arn: str) -> Mapping[str, str]:
        return self.world.tagged((PartKind.BALANCER, arn))

    def release_database(self, instance: str, _kind: str) -> None:
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
class Agents(OneByOne):
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


@dataclass
class Services:
    """ECS: the rollout of the one service has failed for good, until it is redeployed."""

    world: World

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        again = self.world.redeployed
        state, when = "IN_PROGRESS" if again else "FAILED", datetime(2026, 11, 25, tzinfo=UTC)
        one = Deployment(f"ecs-svc/{1 + again}", "PRIMARY", state, "", "td:1", 1, 0, 0, when)
        desired, tags = self.world.desired, self.world.tagged(SERVICE)
        return {name: Service(name, "ACTIVE", desired, 0, 0, (one,), tags=tags) for name in names}

    def tasks(self, _service: str) -> tuple[Task, ...]:
        return ()

    def record(self, _service: str, _known: str = "") -> None:
        """ECS has none: it is older than 90 days."""

    def stop(self, _deployment: str) -> None:
        self.world.changed.append(SERVICE)

    def takes(self, _definition: str) -> bool:
        return True

    def redeploy(self, _service: str, _definition: str = "") -> str:
        self.world.changed.append(SERVICE)
        self.world.redeployed = True
        return "ecs-svc/2"

    def health(self, _group: str) -> TargetHealth:
        return TargetHealth()

    def describe_task_definition(self, **_: Any) -> dict[str, Any]:
        """As boto3's client."""
        secrets = [{"name": "ENCRYPTION_KEY_SECRET", "valueFrom": KEY[1]}]
        containers = [{"name": "api", "image": "onyx", "secrets": secrets}]
        return {"taskDefinition": {"taskDefinitionArn": "td:1", "containerDefinitions": containers}}


COPY = "arn:aws:secretsmanager:us-west-2:123456789012:secret:copy-AbCdEf"


@dataclass
class SecretsClient:
    """boto3's client for Secrets Manager: Onyx's key, drawn anew, and the copy of what it was."""

    world: World
    values: dict[str, str] = field(default_factory=lambda: {KEY[1]: "new", COPY: "old"})
    sealed_with: list[str] = field(default_factory=list)

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        pairs = [{"Key": key, "Value": value} for key, value in self.world.tagged(KEY).items()]
        return {"ARN": SecretId, "KmsKeyId": CMK[1], "Tags": pairs}

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's
        return {"SecretString": self.values[SecretId]}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:  # noqa: N803 - boto3's
        self.world.changed.append((PartKind.SECRET, SecretId))
        self.values[SecretId] = SecretString

    def create_secret(self, Name: str, **given: Any) -> dict[str, str]:  # noqa: N803 - boto3's
        self.sealed_with.append(given.get("KmsKeyId", ""))
        return {"ARN": Name}
