"""What the checks look at: each part of the stack is read once, when a check first asks, however many ask.

Thread-safe. A reading that AWS throttled is begun anew by the next who asks; any other failure is remembered.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from orchestrator.aws.acm import AcmCertificate
from orchestrator.aws.autoscaling import Scaling
from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.iam import Permissions
from orchestrator.aws.listeners import Routing
from orchestrator.aws.network import Instance, SecurityGroup, Subnet
from orchestrator.aws.rds import ServerState
from orchestrator.aws.s3 import Presence
from orchestrator.aws.secrets import Shape
from orchestrator.aws.service_counts import Count
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.aws.ssm import Ping
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.aws.value_from import parse
from orchestrator.database.model import ServerContents, wanted_of
from orchestrator.dns.resolve import DnsAnswer
from orchestrator.doctor.contradictions import Observations
from orchestrator.doctor.readers import Readers
from orchestrator.engine import looks
from orchestrator.engine.check import LOOKS
from orchestrator.engine.step import Subject, Unread, Verdicts, tenant_of
from orchestrator.engine.subjects import attempt
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient
from orchestrator.index import provider
from orchestrator.rollout import progress
from orchestrator.rollout.progress import Rollout
from orchestrator.rollout.recovery import at_present
from orchestrator.site import visits
from orchestrator.site.visits import Visits
from orchestrator.stack.contract import Stack

S = TypeVar("S", bound="Scene")
T = TypeVar("T")
AT_ONCE = 8


def read_once(method: Callable[[S], T]) -> Callable[[S], T]:
    """The first who asks reads; the others wait for it and get the same."""
    name = method.__name__

    @functools.wraps(method)
    def read(self: S) -> T:
        with self.lock_of(name):
            if name not in self.seen:
                try:
                    with self.looking():
                        self.seen[name] = (method(self), None)
                except Transient:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it was, all who ask shall hear the same
                    self.seen[name] = (None, error)
            value, failure = self.seen[name]
            if failure is not None:
                raise failure
            found: T = value
            return found

    return read


class Scene:
    """One stack at one moment."""

    def __init__(
        self, stack: Stack, readers: Readers, now: datetime, monotonic: Callable[[], float] | None = None
    ) -> None:
        """`monotonic` counts seconds: with it, what several readings ask of AWS is asked once."""
        self.stack, self.read, self.now = stack, readers, now
        self._together = looks.survey(monotonic) if monotonic else None
        self.seen: dict[str, tuple[Any, Exception | None]] = {}
        self.missed: dict[tuple[str, Subject], Problem] = {}
        """What could not be read for a tenant, by reading and tenant: its other readings, and the others', stand."""
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def looking(self) -> AbstractContextManager[None]:
        """Around what is read: what was read since the scene began will do."""
        return self._together().tried() if self._together else nullcontext()

    def lock_of(self, name: str) -> threading.RLock:
        """One lock a reading."""
        with self._guard:
            return self._locks.setdefault(name, threading.RLock())

    @read_once
    def rollouts(self) -> Mapping[str, Rollout]:
        """By subject each service: targets, failed tasks with their last words."""
        read = self.read
        every: Mapping[str, Rollout] = {}
        for _ in range(LOOKS):
            settled = {name: one for name, one in every.items() if not (one.unread and one.unread.passing)}
            if len(settled) < len(self.stack.services):
                every = progress.observe(
                    self.stack, read.ecs, read.targets, read.logs, settled=settled, spare=lambda _: self.spared()
                )
        self.miss("services", {name: one.unread.problem for name, one in every.items() if one.unread})
        seen = {name: one for name, one in every.items() if one.unread is None}
        inside = self._for_each(
            "services",
            [name for name, one in seen.items() if one.steady and not one.serves],
            lambda name: progress.examine(seen[name], self.stack.services[name], read.ecs, read.targets, read.logs),
        )
        return {name: at_present(name, one, self.now) for name, one in {**seen, **inside}.items()}

    @read_once
    def visits(self) -> Visits:
        """What visitors of the names that lead to their load balancers meet, and what is behind these names."""
        said, here = self.answers(), dict[Subject, Sequence[str]]()
        for tenant, it in self.stack.tenants.items():
            answer, way = said[it.hostname], self.routing_of(tenant)
            lands = answer.leads_to(said[self.stack.balancer_of(tenant).dns_name])
            if answer.every and lands and way.found and way.https:
                here[tenant] = answer.every
        seen = self.read.visit(here, {tenant: self.routing_of(tenant) for tenant in here}) if here else Visits()
        self.miss("sites", {tenant: unread.problem for tenant, unread in seen.unread.items()})
        return seen

    @read_once
    def spared(self) -> frozenset[Subject]:
        """Of many tenants, those of whom less is asked: they look well to ECS, their sites answer, none was drawn."""
        close, tenants = self.read.close_looks, self.stack.tenants
        if close.few is None or len(tenants) <= close.few:
            return frozenset()
        shown, answering = self.read.ecs.services([*self._names()]), visits.right(self.stack, self.visits().probes)
        return close.spared(visits.looking_well(self.stack, shown, answering))

    @read_once
    def settings(self) -> Mapping[str, ServiceSettings]:
        """By subject each service that exists: how it is set up."""
        names = self._names()
        return {names[service]: found for service, found in self.read.services.settings(list(names)).items()}

    @read_once
    def counts(self) -> Mapping[str, Count]:
        """By subject each service that exists: its tasks and tags."""
        names = self._names()
        return {names[service]: found for service, found in self.read.counts.read(list(names)).items()}

    @read_once
    def scalings_at_zero(self) -> Mapping[str, Scaling]:
        """By subject each service that is at 0 and scales by itself: its limits. Without such a one nobody is asked."""
        names = {one.name: tenant for tenant, one in self.settings().items() if one.desired == 0}
        found = self.read.autoscaling.targets(list(names)) if names else {}
        return {names[name]: one for name, one in found.items()}

    @read_once
    def definitions(self) -> Mapping[str, TaskDefinition]:
        """By subject each service that exists, and whose tenant is not spared: its task definition."""
        shown = self.settings().items()
        arns = {name: found.task_definition for name, found in shown if tenant_of(name) not in self.spared()}
        return self._for_each("tasks", arns, lambda tenant: self.read.services.definition(arns[tenant]))

    @read_once
    def routings(self) -> Mapping[str, Routing]:
        """By ARN each load balancer's way in, with every certificate that it shows."""
        return {one.arn: self._routing(one.arn) for one in self.stack.balancers}

    def _routing(self, balancer: str) -> Routing:
        seen = self.read.listeners.routing(balancer)
        return replace(seen, certificates=self.read.listeners.certificates(seen.listeners))

    def routing_of(self, tenant: Subject) -> Routing:
        """The tenant's own way in."""
        return self.routings()[self.stack.balancer_of(tenant).arn]

    @read_once
    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Per tenant whose target group exists."""
        groups = {tenant.target_group_arn: name for name, tenant in self.stack.tenants.items()}
        return {groups[arn]: found for arn, found in self.read.targets.checks(groups).items()}

    @read_once
    def server(self) -> ServerState:
        """The database server, as RDS sees it."""
        return self.read.rds.server(self.stack.database.server)

    @read_once
    def databases(self) -> ServerContents:
        """The database server, from inside."""
        return self.read.database.observe(wanted_of(self.stack))

    @read_once
    def redis(self) -> RedisState | None:
        """The replication group; None: the stack has none."""
        redis = self.stack.redis
        return self.read.elasticache.group(redis.replication_group) if redis else None

    @read_once
    def redis_groups(self) -> tuple[str, ...]:
        """Ids of the security groups of Redis."""
        state = self.redis()
        return self.read.elasticache.security_groups(state.members[0]) if state and state.members else ()

    @read_once
    def instances(self) -> Mapping[str, Instance]:
        """The indexes' instances and the runner, by id."""
        return self.read.network.instances(self._instance_ids())

    @read_once
    def pings(self) -> Mapping[str, Ping]:
        """What SSM says of the same instances, by id."""
        return self.read.ssm.pings(self._instance_ids())

    @read_once
    def index_ports(self) -> Mapping[tuple[str, Subject], int]:
        """Per index (its kind and tenant): the port its tasks themselves ask (VESPA_PORT, …), else the contract's."""
        ports = {}
        for kind, tenant, server in self.stack.indexes:
            definition = self.definitions().get(tenant)
            said = definition.variables().get(provider(kind).port_variable, "") if definition else ""
            ports[kind, tenant] = int(said) if said.isdecimal() else server.port
        return ports

    @read_once
    def groups(self) -> Mapping[str, SecurityGroup]:
        """Every security group that plays a part, by id."""
        ids = {group for service in self.settings().values() for group in service.groups}
        ids |= {
            *self.server().groups,
            *self.redis_groups(),
            *(group for one in self.routings().values() for group in one.groups),
        }
        ids |= {group for instance in self.instances().values() for group in instance.groups}
        return self.read.network.groups(ids)

    @read_once
    def subnets(self) -> Mapping[str, Subnet]:
        """The tasks' and the indexes' subnets, by id."""
        ids = {subnet for service in self.settings().values() for subnet in service.subnets}
        return self.read.network.subnets(ids | {one.subnet for one in self.instances().values() if one.subnet})

    @read_once
    def secret_shapes(self) -> Mapping[str, Shape]:
        """Every secret and parameter that a task definition or the contract names, by what names it."""
        named = {arn_of(value) for one in self.definitions().values() for _, _, value in one.secrets()}
        named |= {tenant.secret_arn for tenant in self.stack.tenants.values() if tenant.secret_arn}
        if self.stack.redis and self.stack.redis.auth_secret_arn:
            named.add(self.stack.redis.auth_secret_arn)
        return self.read.secrets.shapes(sorted(named))

    @read_once
    def certificates(self) -> Mapping[str, AcmCertificate | None]:
        """By ARN the contract's, and all that their listeners show; None: there is none of it, or it isn't ACM's."""
        wanted = dict.fromkeys(self.stack.certificates)
        shown = (arn for way in self.routings().values() for arn in way.certificates if wanted)
        return {arn: self._certificate(arn) for arn in dict.fromkeys([*wanted, *shown])}

    def _certificate(self, arn: str) -> AcmCertificate | None:
        try:
            return self.read.acm.certificate(arn)
        except Invalid:
            return None

    @read_once
    def bucket(self) -> Presence | None:
        """What is seen of the bucket; None: the contract names none."""
        return self.read.s3.presence(self.stack.bucket) if self.stack.bucket else None

    def has_bucket(self) -> bool | None:
        """Whether the bucket is there and the account's own; None: the contract names none."""
        seen = self.bucket()
        return None if seen is None else seen is Presence.OURS

    @read_once
    def log_groups(self) -> Mapping[str, bool]:
        """Per log group that task definitions or the contract name: whether it is there."""
        names = {group.log_group for one in self.definitions().values() for group in one.containers if group.log_group}
        wanted = sorted(names | {one.log_group for one in self.stack.services.values() if one.log_group})
        there = self.read.logs.among(wanted)
        return {name: name in there for name in wanted}

    @read_once
    def answers(self) -> Mapping[str, DnsAnswer]:
        """What DNS says of every hostname and of the load balancers' own names."""
        stack = self.stack
        names = [one.dns_name for one in (stack.load_balancer, *stack.balancers)]
        names = list(dict.fromkeys([*names, *(tenant.hostname for tenant in stack.tenants.values())]))
        return dict(zip(names, self._each(self.read.resolver.resolve, names), strict=True))

    def resting(self) -> bool:
        """Whether somebody paused the whole stack: no service wants a task, and the database server is stopped."""
        settings = self.settings()
        return (
            self.server().status in ("stopped", "stopping")
            and len(settings) == len(self.stack.services)
            and all(one.desired == 0 for one in settings.values())
        )

    def role_of(self, profile: str) -> str:
        """The role of an instance profile; empty: none."""
        return self.read.iam.role_of(profile) if profile else ""

    @read_once
    def intended_records(self) -> Verdicts:
        """What `dns-records` would do; empty where nobody can be asked."""
        try:
            return self.read.records()
        except Transient:
            raise
        except OrchestratorError:
            return {}  # the finding stands, and the step itself says why

    def observations(self) -> Observations:
        """What the checks have seen that may speak against what others of them inferred. Reads nothing."""
        rollouts: Mapping[str, Rollout] = self._read_already("rollouts") or {}
        databases: ServerContents | None = self._read_already("databases")
        up = {
            name: one.primary.created_at
            for name, one in rollouts.items()
            if one.primary and one.serves and not one.failures and (one.spared or _all_healthy(one))
        }
        logins = databases.logins if databases else {}
        met: Visits = self._read_already("visits") or Visits()
        return Observations(
            self.now,
            up,
            frozenset(name for name, said in logins.items() if said == "ok"),
            visits.right(self.stack, met.probes),
            frozenset(self.stack.tenants),
        )

    def _read_already(self, name: str) -> Any:
        value, failure = self.seen.get(name, (None, None))
        return None if failure else value

    def simulate(self, role: str, actions: Sequence[str], resources: Sequence[str]) -> Permissions:
        """What the role may not do."""
        return self.read.iam.simulate(role, actions, resources)

    def _names(self) -> Mapping[str, Subject]:
        return {one.name: name for name, one in self.stack.services.items()}

    def _instance_ids(self) -> list[str]:
        runner = {self.stack.runner.instance_id} if self.stack.runner else set()
        return sorted(runner | {one.server.instance_id for one in self.stack.indexes})

    def _for_each(self, check: str, tenants: Iterable[Subject], read: Callable[[Subject], T]) -> Mapping[Subject, T]:
        """What can be read; the rest is missed by the check of that name, in the first place."""
        results: dict[Subject, T] = {}
        failures: dict[Subject, Unread] = {}
        left = list(tenants)
        for _ in range(LOOKS):
            seen = attempt(left, read, at_once=AT_ONCE)
            results |= seen.results
            unread = Unread.each(seen.failures)
            failures |= unread
            left = [tenant for tenant, why in unread.items() if why.passing]
        self.miss(check, {tenant: why.problem for tenant, why in failures.items() if tenant not in results})
        return results

    def miss(self, check: str, problems: Mapping[Subject, Problem]) -> None:
        """These could not be read for the check: it saw the others'."""
        self.missed |= {(check, tenant): problem for tenant, problem in problems.items()}

    def _each(self, read: Callable[[str], T], names: Sequence[str]) -> list[T]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(read, names))


def _all_healthy(rollout: Rollout) -> bool:
    return set(rollout.targets.states) == {"healthy"}


def arn_of(value_from: str) -> str:
    """What AWS is asked for in a `valueFrom`: without JSON key, stage and version."""
    return parse(value_from).source


def key_of(value_from: str) -> str:
    """The JSON key in a `valueFrom`; empty: the whole value."""
    return parse(value_from).key
