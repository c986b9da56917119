"""A stack in memory that can be paused and resumed, killed at any change, and meddled with. `sweep` kills everywhere.

The steps and the loop are the real ones; the adapters are replaced, and so are the workflow's steps that need a real
PostgreSQL, DNS or SSM. A kill loses all of a run but what it had sent: what a kill -9 does.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.aws.ssm import CommandOutput, Ping
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Report, run
from orchestrator.engine.step import STACK, Done, Step, Verdict, Wait, nothing_to_apply, tenant_of
from orchestrator.errors import Outcome
from orchestrator.lifecycle import pause, resume
from orchestrator.lifecycle.pause_tags import TAG, Stamp
from orchestrator.rollout.memory import RunMemory
from orchestrator.stack.indexes import VESPA, PlacedIndex
from orchestrator.stack.ownership import Ownership, PartKind
from orchestrator.steps import database_server, index_containers, runner
from tests.shells import OneByOne


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """Services by tenant's name, one DB instance, an instance a tenant (the first is the runner).

    `pressed`: tenants whose load keeps an alarm up, so that autoscaling raises them to their minimum whenever it may.
    `stuck`: tenants whose tasks never stop. `sealed`: instances that EC2 stops again when they are started. `kill_at`:
    the change (counted from 1) that is the run's last; `arrives`: whether it still takes effect.
    """

    desired: dict[str, int]
    scaling: dict[str, Scaling] = field(default_factory=dict)
    pressed: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    present: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    database: str = "available"
    database_tags: dict[str, str] = field(default_factory=dict)
    replicas: tuple[str, ...] = ()
    machines: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    changes: int = 0
    kill_at: int = 0
    arrives: bool = False
    dead: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.present = self.present or dict(self.desired)
        self.machines = self.machines or dict.fromkeys(self.desired, "running")

    @property
    def lasting(self) -> Mapping[str, Any]:
        """What a pause and a resume must leave as it was."""
        return {
            "desired": dict(self.desired),
            "scaling": dict(self.scaling),
            "tags": {**self.tags, **self.database_tags},
            "database": self.database,
            "machines": dict(self.machines),
        }

    @property
    def rests(self) -> bool:
        """Whether nothing that can be stopped runs."""
        stopped = self.database == "stopped" or bool(self.replicas)
        return stopped and not any(self.present.values()) and set(self.machines.values()) == {"stopped"}

    # Time.

    def now(self) -> datetime:
        return datetime(2026, 11, 26, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self.lock:
            if self.dead:
                raise Killed
            self.seconds += seconds
            self.pass_by()

    def pass_by(self) -> None:
        """Everything comes to where it was going; autoscaling acts."""
        for tenant in self.pressed & self.scaling.keys():
            if not self.scaling[tenant].suspended.scale_out:
                self.desired[tenant] = max(self.desired[tenant], self.scaling[tenant].minimum)
        self.present |= {tenant: wanted for tenant, wanted in self.desired.items() if tenant not in self.stuck}
        self.database = {"stopping": "stopped", "starting": "available"}.get(self.database, self.database)
        coming = {"stopping": "stopped", "pending": "running"}
        coming_here = {name: coming | ({"pending": "stopped"} if name in self.sealed else {}) for name in self.machines}
        self.machines = {name: coming_here[name].get(state, state) for name, state in self.machines.items()}

    # Changes.

    def change(self, effect: Callable[[], Any]) -> None:
        with self.lock:
            if self.dead:
                raise Killed
            self.changes += 1
            if self.changes == self.kill_at:
                self.dead = True
                if self.arrives:
                    effect()
                raise Killed
            effect()

    def revive(self) -> World:
        """Another process looks at what is left."""
        self.changes, self.kill_at, self.dead = 0, 0, False
        return self


class Aws(OneByOne):
    """All adapters in one."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        world = self.world
        return {
            name: Count(
                name, f"arn:{name}", world.desired[name], world.present[name], tags=_tagged(world.tags.get(name))
            )
            for name in names
        }

    def scale(self, name: str, desired: int) -> None:
        self.world.change(lambda: self.world.desired.update({name: desired}))

    def targets(self, services: Sequence[str]) -> Mapping[str, Scaling]:
        return {name: one for name, one in self.world.scaling.items() if name in services}

    def suspend(self, service: str, suspended: Suspension) -> None:
        scaling = replace(self.world.scaling[service], suspended=suspended)
        self.world.change(lambda: self.world.scaling.update({service: scaling}))

    def tag(self, arn: str, key: str, value: str) -> None:
        assert key == TAG
        tags, name = self._tags(arn)
        self.world.change(lambda: tags.update({name: value}))

    def untag(self, arn: str, key: str) -> None:
        assert key == TAG
        tags, name = self._tags(arn)
        self.world.change(lambda: tags.pop(name, None))

    def _tags(self, arn: str) -> tuple[dict[str, str], str]:
        name = arn.removeprefix("arn:")
        return (self.world.database_tags if name == "db" else self.world.tags), name

    def server(self, instance: str) -> ServerState:
        tags = _tagged(self.world.database_tags.get("db"))
        return ServerState(
            instance, self.world.database, "db.local", arn="arn:db", tags=tags, replicas=self.world.replicas
        )

    def stop(self, what: Any) -> None:
        def effect() -> None:
            if what == "db":
                assert not any(self.world.present.values()), "stopped under its tasks"
                self.world.database = "stopping"
            else:
                self.world.machines.update({one: "stopping" for one in what if self.world.machines[one] == "running"})

        self.world.change(effect)

    def start(self, what: str) -> None:
        def effect() -> None:
            if what == "db":
                self.world.database = "starting"
            else:
                self.world.machines[what] = "pending"

        self.world.change(effect)

    def states(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {one: self.world.machines[one] for one in ids}

    def failures(self, ids: Sequence[str]) -> Mapping[str, str]:
        fallen = self.world.sealed & {one for one in ids if self.world.machines[one] == "stopped"}
        return dict.fromkeys(fallen, "Client.InternalError: Client error on launch")

    def tags(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return {one: {} for one in ids}

    def state(self, instance: str) -> str:
        return self.world.machines[instance]

    def pings(self, instances: Sequence[str]) -> Mapping[str, Ping]:
        return {one: self.ping(one) for one in instances}

    def ping(self, instance: str) -> Ping:
        return Ping("Online" if self.world.machines[instance] == "running" else "ConnectionLost")

    def run(self, instance: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        said = {"dockerd": True, "booting": False, "healthy": True, "pulled": True, "container": {"state": "running"}}
        return CommandOutput(json.dumps(said), "", 0, "Success", "c")


class Alone:
    """Nobody else is there."""

    def users(self, *_names: str) -> tuple[str, ...]:
        return ()

    def strangers(self) -> tuple[str, ...]:
        return ()


def _tagged(value: str | None) -> dict[str, str]:
    return {TAG: value} if value is not None else {}


def _context(world: World, who: str) -> Any:
    aws = Aws(world)
    services = {name: SimpleNamespace(subject=name, tenant=tenant_of(name), name=name) for name in world.desired}
    machines: dict[str, Any] = {
        name: SimpleNamespace(instance_id=name, host=name, port=8081, config_port=19071) for name in world.machines
    }
    stack = SimpleNamespace(
        stack="onyx-prod",
        cluster="onyx-prod-cluster",
        ownership=Ownership(),
        tenants={one.tenant: one for one in services.values()},
        services=services,
        indexes=[PlacedIndex(VESPA, name, one) for name, one in machines.items()],
        runner=SimpleNamespace(instance_id=next(iter(world.machines))),
        database=SimpleNamespace(
            instance="db", host="db.local", server="db", part=(PartKind.DATABASE, "db"), elsewhere=False
        ),
    )
    stamp = Stamp.of(world.now(), who, "host")
    more = {
        "other_users": Alone(),
        "stamp": stamp,
        "now": world.now,
        "refusals": {},
        "starts": {},
        "needs_runner": True,
        "world": world,
        "rollout_memory": RunMemory(),
        "first_looks": FirstLooks(),
    }
    return SimpleNamespace(stack=stack, counts=aws, autoscaling=aws, rds=aws, ec2=aws, ssm=aws, **more)


def _stub(name: str, needs: tuple[str, ...], decide: Callable[[World], Mapping[str, Verdict]]) -> AnyStep:
    return Step(name, name, lambda context: context.world, decide, nothing_to_apply, needs, poll=5.0)


def _right(world: World) -> Mapping[str, Verdict]:
    return {STACK: Done("right")}


def _up(world: World) -> Mapping[str, Verdict]:
    return {
        name: Done("up") if world.present[name] == wanted else Wait("coming") for name, wanted in world.desired.items()
    }


def _answering(world: World) -> Mapping[str, Verdict]:
    return {name: Done("answers") if count else Wait("HTTP 503") for name, count in world.present.items()}


WORKFLOW: tuple[AnyStep, ...] = (
    database_server.STEP,
    runner.STEP,
    *index_containers.STEPS,
    _stub("tenant-databases", ("database-server", "runner"), _right),
    _stub("redis-auth", (), _right),
    _stub("redeploy", ("tenant-databases", "redis-auth"), _right),
    _stub("services", ("redeploy", "runner"), _up),
    _stub("dns-records", (), _right),
    _stub("sites", ("services", "dns-records"), _answering),
)


def paused(world: World, who: str = "ana", *, tenants: Iterable[str] = (), kept: bool = False) -> Report:
    """One run of `orchestrate pause`. Raises `Killed`."""
    chosen = frozenset(tenants)
    return _ran(pause.steps(whole=not chosen, kept=kept), world, who, chosen)


def resumed(world: World, who: str = "bob", *, tenants: Iterable[str] = ()) -> Report:
    """One run of `orchestrate resume`. Raises `Killed`."""
    return _ran(resume.steps(WORKFLOW), world, who, frozenset(tenants))


def _ran(steps: Sequence[AnyStep], world: World, who: str, tenants: frozenset[str]) -> Report:
    return run(steps, _context(world, who), clock=world, emit=lambda _event: None, subjects=tenants or None)


def survived(action: Callable[[World], Report], world: World, kills: Iterable[tuple[int, bool]]) -> int:
    """Run it with these kills, one a run, then to its end; the number of changes of the last run."""
    for at, arrives in kills:
        world.revive()
        world.kill_at, world.arrives = at, arrives
        try:
            action(world)
        except Killed:
            world.pass_by()
    report = action(world.revive())
    assert report.outcome is Outcome.SUCCEEDED, report.endings
    return world.changes


def sweep(make: Callable[[], World], deepest: int = 40) -> int:
    """Kill a pause, then a resume, before and after each of their changes; the number of worlds that were tried.

    Each must end as if nothing had happened: paused wholly, then as it was before.
    """
    tried = 0
    for action, other in ((paused, resumed), (resumed, paused)):
        for at, arrives in itertools.product(range(1, deepest), (False, True)):
            world = make()
            before = world.lasting
            if action is resumed:
                survived(paused, world, ())
            made = survived(action, world, [(at, arrives)])
            assert world.rests or action is resumed
            survived(other, world, ())
            assert world.rests if action is resumed else world.lasting == before, (action, at, arrives)
            survived(resumed, world, ())
            assert world.lasting == before, (action, at, arrives, world.lasting)
            tried += 1
            if made == 0 and not arrives and at > deepest // 2:
                break
    return tried
