"""A scripted stack for the real steps: what they see of AWS, PostgreSQL and DNS, as plain state that moves with time.

It knows what is true, so it can say of each change whether it was needed. Mishaps come at chosen calls: an error that
passes, an answer that is lost after the change was made, a hopeless error, the death of the process. Left out: what a
provider's protocol can do wrong (test_fail.py has the real ones), several runs at once (tests/e2e/test_trust.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from orchestrator.aws.ecs import Container, Deployment, Service, Task
from orchestrator.aws.elasticache import ROTATING, RedisState
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.listeners import ListenerRule, Routing
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.aws.ssm import Ping
from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.database.model import ServerContents, WantedDatabase
from orchestrator.database.ownership import OwnershipRules
from orchestrator.dns.model import Record, ZonePlan
from orchestrator.dns.resolve import DnsAnswer
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.subjects import Attempts
from orchestrator.errors import Problem, Transient
from orchestrator.probe import Probe, Reached
from orchestrator.rollout.memory import RunMemory
from orchestrator.stack.ownership import TAG
from orchestrator.steps import dns_records, services
from tests.faults.schedule import BEGAN
from tests.faults.scripted_world import BOOT, FAILS, MODIFYING, SPREADING, Rollout, World


@dataclass
class Aws:
    """RDS, EC2, SSM, ElastiCache, Secrets Manager, ECS, target groups and logs, as the steps ask them."""

    world: World

    def newest_snapshot(self, _instance: str) -> None:
        return self.world.call("snapshots", lambda: None)

    def server(self, instance: str) -> ServerState:
        status = "available" if self.world.clock.seconds >= self.world.available_at else "starting"
        return self.world.call("server", lambda: ServerState(instance, status, self.world.stack.database.host))

    def ping(self, _instance: str) -> Ping:
        online = self.world.clock.seconds >= self.world.online_at
        return self.world.call("ping", lambda: Ping("Online" if online else None))

    def state(self, _instance: str) -> str:
        return self.world.call("state", lambda: "running")

    def group(self, name: str) -> RedisState:
        world = self.world
        status = "modifying" if world.clock.seconds < world.redis_busy_until else "available"
        token, status = world.shown("redis", (world.token, status))
        return world.call("group", lambda: RedisState(name, status, tls=True, auth=token != "none", arn=name))

    def is_rotating(self, arn: str) -> bool:
        return ROTATING in self.tags(arn)

    def tags(self, _arn: str) -> Mapping[str, str]:
        """Of the Redis group, which is the stack's own."""
        own, rotating = {TAG: self.world.stack.stack}, {ROTATING: "ROTATE"}
        return self.world.call("tags", lambda: own | rotating if self.world.tagged else own)

    def rotate(self, _group: RedisState, _token: str) -> None:
        world = self.world
        world.call("tag", lambda: setattr(world, "tagged", True))
        world.change("rotate", lambda: self._modified("both"), needed=world.token == "none")

    def settle(self, _group: RedisState, _token: str) -> None:
        world = self.world
        if world.token != "only":
            world.change("settle", lambda: self._modified("only"), needed=world.token == "both")
        world.call("untag", lambda: setattr(world, "tagged", False))

    def _modified(self, token: str) -> None:
        if self.world.clock.seconds < self.world.redis_busy_until:
            raise Transient(Problem("redis-not-available", "it is being changed", "", "wait"))
        self.world.before["redis"] = (self.world.clock.seconds, (self.world.token, "available"))
        self.world.token = token
        self.world.redis_busy_until = self.world.clock.seconds + MODIFYING

    def run(self, _instance: str, _script: str, *, comment: str, timeout: int) -> SimpleNamespace:
        """The runner signs in to Redis: the server itself shows nothing late."""
        assert "Redis" in comment

        def tried() -> SimpleNamespace:
            token = self.world.token
            said = {"open": token != "only", "accepted": token != "none", "said": ""}
            return SimpleNamespace(stdout=json.dumps(said))

        return self.world.call("login", tried)

    def users(self, *_names: str) -> tuple[str, ...]:
        """Nobody else: what others use is in tests/unit/lifecycle/test_foreign.py."""
        return self.world.call("neighbours", lambda: ())

    def value(self, _arn: str) -> str:
        return self.world.call("secret", lambda: "a-token")

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        tenants, shown = {it.service: tenant for tenant, it in self.world.stack.tenants.items()}, self.world.shown
        return self.world.call(
            "services", lambda: {name: shown(tenants[name], self._service(name, tenants[name])) for name in names}
        )

    def _service(self, name: str, tenant: str) -> Service:
        seen = [self._deployment(tenant, one) for one in reversed(self.world.rollouts[tenant])]
        running = sum(one.running for one in seen)
        return Service(name, "ACTIVE", self.world.desired[tenant], running, 0, tuple(seen))

    def _deployment(self, tenant: str, rollout: Rollout) -> Deployment:
        world, newest = self.world, self.world.rollouts[tenant][-1]
        state = "IN_PROGRESS"
        if rollout.found_database is False and world.clock.seconds >= rollout.began + FAILS:
            state = "FAILED"
        elif rollout is newest and world.is_up(tenant):
            state = "COMPLETED"
        running = int(state == "COMPLETED")
        status = "PRIMARY" if rollout is newest else "ACTIVE"
        failed = int(rollout.found_database is False)
        began = BEGAN + timedelta(seconds=rollout.began)
        definition = f"td:{world.stack.tenants[tenant].database}"
        return Deployment(rollout.id, status, state, "", definition, 1, running, failed, began)

    def tasks(self, service: str) -> tuple[Task, ...]:
        tenant = next(name for name, it in self.world.stack.tenants.items() if it.service == service)
        failed = [one for one in self.world.rollouts[tenant] if one.found_database is False]
        return self.world.call("tasks", lambda: tuple(map(self._failed, failed)))

    def _failed(self, rollout: Rollout) -> Task:
        began = BEGAN + timedelta(seconds=rollout.began)
        ended = began + timedelta(seconds=BOOT)
        why = "EssentialContainerExited", "Essential container in task exited"
        containers = (Container("api", "STOPPED", 1),)
        return Task(f"t/{rollout.id}", rollout.id, "td:1", "STOPPED", began, ended, *why, containers)

    def stream(self, _task: Task, container: str) -> str:
        return container

    def environment(self, _task: Task) -> Mapping[str, str]:
        return {}

    def tail(self, _group: str, _stream: str, lines: int = 50) -> tuple[str, ...]:
        words = ('sqlalchemy.exc.OperationalError: FATAL:  database "onyx" does not exist',)
        return self.world.call("logs", lambda: words[:lines])

    def record(self, _service: str, _known: str = "") -> RolloutRecord | None:
        return self.world.call("record", lambda: None)

    def stop(self, _deployment: str) -> None:
        raise NotImplementedError

    def takes(self, _definition: str) -> bool:
        raise NotImplementedError

    def redeploy(self, service: str, definition: str = "") -> str:
        world = self.world
        tenant = next(name for name, it in world.stack.tenants.items() if it.service == service)
        newest = world.rollouts[tenant][-1]
        missed = newest.found_database is False or newest.began <= world.usable_at.get(tenant, world.clock.seconds)

        def made() -> str:
            world.before[tenant] = (world.clock.seconds, self._service(service, tenant))
            return world.begin_rollout(tenant)

        return world.change(f"redeploy {tenant}", made, needed=missed)

    def health(self, group: str) -> TargetHealth:
        tenant = next(name for name, it in self.world.stack.tenants.items() if it.target_group_arn == group)
        states = {"healthy": 1} if self.world.is_up(tenant) else {}
        return self.world.call("health", lambda: TargetHealth(states))

    def routing(self, _load_balancer: str) -> Routing:
        rules = tuple(
            ListenerRule(443, number, (it.hostname,), target_groups=(it.target_group_arn,))
            for number, it in enumerate(self.world.stack.tenants.values(), start=1)
        )
        return self.world.call("rules", lambda: Routing(rules=rules))

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        return self.world.call("running", lambda: Attempts(dict.fromkeys(services, ())))

    def definition(self, arn: str) -> TaskDefinition:
        said = {"POSTGRES_HOST": self.world.stack.database.host, "POSTGRES_DB": arn.removeprefix("td:")}
        containers = (ContainerDefinition("api", environment=said),)
        return self.world.call("definition", lambda: TaskDefinition(arn, containers=containers))

    def checks(self, groups: Iterable[str]) -> Mapping[str, HealthCheck]:
        return self.world.call(
            "checks", lambda: {group: HealthCheck(interval=30, healthy=2, unhealthy=10) for group in groups}
        )

    def alive(self, _names: Iterable[str]) -> frozenset[str]:
        return self.world.call("balancers", frozenset)


@dataclass
class Database:
    """PostgreSQL: what is committed is seen at once."""

    world: World

    def observe(self, wanted: Sequence[WantedDatabase]) -> ServerContents:
        def seen() -> ServerContents:
            has = {one.tenant: self.world.databases[one.tenant] for one in wanted}
            databases = {one.database: one.role for one in wanted if "database" in has[one.tenant]}
            roles = frozenset(one.role for one in wanted if {"role", "password"} <= has[one.tenant])
            logins = {tenant: "ok" for tenant, parts in has.items() if {"database", "password"} <= parts}
            public = frozenset(one.database for one in wanted if "private" not in has[one.tenant]) & databases.keys()
            marks = {one.database: one.mark for one in wanted if one.database in databases}
            role_marks = {one.role: one.mark for one in wanted if one.role in roles}
            return ServerContents(databases, roles, logins, {}, public, marks, role_marks, roles)

        return self.world.call("observe", seen)

    def ensure(self, wanted: Sequence[WantedDatabase]) -> None:
        for one in wanted:
            parts = self.world.databases[one.tenant]
            needed = parts != {"role", "database", "password", "private"}
            self.world.change(f"ensure {one.tenant}", lambda: None, needed=needed)
            for part in ("role", "password", "database", "private"):
                if part not in parts:
                    self.world.call(f"make {part}", partial(self.world.make, one.tenant, part))


@dataclass
class Zone:
    """A DNS provider, the world's resolver, the sites, and the history of changes."""

    world: World
    name: str = "route53"
    apex: str = "A"
    minimum_ttl: int = 1

    def zones(self) -> frozenset[str]:
        return self.world.call("zones", lambda: frozenset(("vigilon.app",)))

    def check(self, zone: str) -> None: ...

    def records(self, _zone: str) -> frozenset[Record]:
        present = frozenset(self.world.records.values())
        return self.world.call("records", lambda: self.world.shown("zone", present))

    def submit(self, _zone: str, plan: ZonePlan) -> str:
        world = self.world
        needed = all(world.records.get(change.name) not in change.after for change in plan.changes)

        def made() -> str:
            world.before["zone"] = (world.clock.seconds, frozenset(world.records.values()))
            for change in plan.changes:
                world.records[change.name] = change.after[0]
                world.visible[change.name] = (world.clock.seconds + SPREADING, change.after[0].values[0])
            return "ticket"

        return world.change("submit", made, needed=needed)

    def settled(self, _ticket: str) -> bool:
        spread = max((at for at, _ in self.world.visible.values()), default=0.0)
        return self.world.call("settled", lambda: spread <= self.world.clock.seconds)

    def resolve(self, name: str) -> DnsAnswer:
        at, target = self.world.visible.get(name, (0.0, ""))
        if name == self.world.stack.load_balancer.dns_name:
            return DnsAnswer(name, addresses=("192.0.2.1",))
        if not target or at > self.world.clock.seconds:
            return DnsAnswer(name, rcode="NXDOMAIN")
        return DnsAnswer(name, (target,), ("192.0.2.1",))

    def name_servers(self, _zone: str) -> tuple[str, ...]:
        return ()

    unheard: frozenset[str] = frozenset()

    def visit(self, hostname: str, address: str, path: str) -> Probe:
        assert path == "/api/health"
        tenant = next(name for name, it in self.world.stack.tenants.items() if it.hostname == hostname)
        if not self.world.is_up(tenant):
            return Probe(address, Reached.ANSWERED, 503)
        return Probe(address, Reached.ANSWERED, 200, body='{"success":true,"message":"ok","data":null}')

    def written(self) -> frozenset[str]:
        return frozenset()

    def remembered(self) -> dict[str, int]:
        return {}

    def intend(self, _provider: str, _zone: str, _changes: Iterable[Any]) -> None:
        self.world.call("history", lambda: None)


def context_of(world: World) -> Any:
    """What the steps see, with an empty memory: a run of its own."""
    aws, zone = Aws(world), Zone(world)
    history: Any = zone
    return SimpleNamespace(
        stack=world.stack,
        started=world.clock.now(),
        now=world.clock.now,
        wait_rules=services.Rules(recreates_database=True),
        close_looks=CloseLooks(),
        **dict.fromkeys(("rds", "ec2", "ssm", "elasticache", "secrets", "ecs", "targets", "logs"), aws),
        **dict.fromkeys(("listeners", "definitions", "other_users"), aws),
        database=Database(world),
        needs_runner=True,
        dns=lambda _name: zone,
        dns_rules=dns_records.RecordRules(history),
        resolver=zone,
        probe=zone.visit,
        dns_tickets=[],
        databases_made=set(),
        redis_rotations=frozenset(),
        database_rules=OwnershipRules(),
        rollout_memory=RunMemory(),
        first_looks=FirstLooks(),
    )
