"""What steps see, with every client behind it: the one place where adapters are wired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from secrets import token_hex

from orchestrator import dns, probe, redact
from orchestrator.app.last_backup import NewestBackup
from orchestrator.app.servers import servers_of
from orchestrator.aws.access import Access
from orchestrator.aws.buckets import Buckets
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.listeners import Listeners
from orchestrator.aws.logs import Logs
from orchestrator.aws.neighbours import Neighbours
from orchestrator.aws.parameters import Parameters
from orchestrator.aws.rds import ELSEWHERE
from orchestrator.aws.rds_statuses import USABLE
from orchestrator.aws.s3 import S3
from orchestrator.aws.secrets import Secrets
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.session import Aws
from orchestrator.aws.ssm import Ssm
from orchestrator.aws.values import SecretValues
from orchestrator.database import tls
from orchestrator.database.lending import PasswordLender
from orchestrator.database.ownership import OwnershipRules as DatabaseRules
from orchestrator.database.server import Server
from orchestrator.database.sessions import Session
from orchestrator.database.ssm import SsmServer
from orchestrator.dns import places, resolve
from orchestrator.dns.history import FILE, History
from orchestrator.dns.model import Connection, DnsProvider
from orchestrator.dns.places import ZonePlace
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.limits import Limits
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.rollout.memory import RunMemory
from orchestrator.settings import Settings
from orchestrator.stack.contract import Stack
from orchestrator.steps import services
from orchestrator.steps.dns_records import RecordRules

Learn = Callable[[Iterable[str]], None]


def no_secrets(_values: Iterable[str]) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True)
class Context:
    """What steps see. The last five are the run's memory: what it did, which the next run observes anew."""

    stack: Stack
    started: datetime
    now: Callable[[], datetime]
    wait_rules: services.Rules
    rds: DbServers
    ec2: Ec2
    ssm: Ssm
    elasticache: ElastiCache
    secrets: SecretValues
    ecs: Ecs
    definitions: ClusterServices
    targets: Elbv2
    listeners: Listeners
    logs: Logs
    database: Server
    database_rules: DatabaseRules
    through_runner: SsmServer
    lender: PasswordLender
    needs_runner: bool
    dns: Callable[[str], DnsProvider]
    dns_rules: RecordRules
    resolver: resolve.Resolver
    probe: Callable[[str, str, str], probe.Probe]
    other_users: OtherUsers
    close_looks: CloseLooks
    buckets: S3
    newest_backup: NewestBackup
    redis_rotations: frozenset[str] = frozenset()
    dns_tickets: list[tuple[str, str]] = field(default_factory=list)
    databases_made: set[str] = field(default_factory=set)
    rollout_memory: RunMemory = field(default_factory=RunMemory)
    first_looks: FirstLooks = field(default_factory=FirstLooks)


@dataclass(frozen=True, slots=True)
class DnsRules:
    """How this command may change DNS records. `directory` keeps what they were; the rest is as in `RecordRules`."""

    directory: Path = Path()
    adopt: bool = False
    managed: Callable[[], frozenset[str]] = frozenset


def connect(
    stack: Stack,
    aws: Aws,
    settings: Settings,
    environment: Mapping[str, str],
    clock: SystemClock,
    *,
    learn: Learn,
    rules: DnsRules,
    databases: DatabaseRules,
    waiting: services.Rules,
    close: CloseLooks,
) -> Context:
    """Everything a run may need; a client is made when something of it is used."""
    ssm = Ssm(aws.client("ssm"), sleep=clock.sleep, monotonic=clock.monotonic, mark=lambda: token_hex(6))
    parameters, values = _readers(aws, learn)
    lender = PasswordLender(parameters, stack.stack, token_hex(4), clock.now)
    rds = servers_of(stack.database, aws)
    # Without a runner the step `runner` ends the run before anybody asks the database.
    runner = stack.runner.instance_id if stack.runner else ""
    trusted = tls.authorities(stack.region, settings["database-ca-file"])
    through = SsmServer(ssm, runner, stack.database, stack.region, lender, authorities=trusted)
    direct = settings["database-transport"] == "direct"
    database = _direct(stack, values, settings, environment) if direct else through
    resolver = ":".join(map(str, settings["resolver"])) if settings["resolver"] else None
    return Context(
        stack=stack,
        started=clock.now(),
        now=clock.now,
        wait_rules=waiting,
        rds=rds,
        ec2=Ec2(aws.client("ec2")),
        ssm=ssm,
        elasticache=ElastiCache(aws.client("elasticache")),
        secrets=values,
        ecs=Ecs(aws.client("ecs"), stack.cluster, aws.recent("ecs")),
        definitions=ClusterServices(aws.client("ecs"), stack.cluster, aws.recent("ecs")),
        targets=Elbv2(aws.client("elbv2"), aws.recent("elbv2")),
        listeners=Listeners(aws.client("elbv2")),
        logs=Logs(aws.client("logs")),
        database=database,
        database_rules=databases,
        through_runner=through,
        lender=lender,
        needs_runner=not direct,
        dns=_providers(stack, aws, settings, environment, clock),
        dns_rules=RecordRules(history(stack, rules.directory, clock), rules.adopt, managed=rules.managed),
        resolver=resolve.connect(resolver, [place.zone for place in zones_of(stack)]),
        probe=probe.HttpsProbe(port=settings["site-port"], ca_file=settings["ca-file"]),
        redis_rotations=frozenset(settings["rotate-redis-token"]),
        close_looks=close,
        buckets=S3(aws.client("s3"), stack.account_id),
        newest_backup=NewestBackup(
            Buckets(aws.client("s3"), stack.region, stack.account_id),
            stack.stack,
            stack.account_id,
            settings["backup-bucket"],
        ),
        other_users=OtherUsers(stack, Neighbours(aws.client("ecs")), lambda: _sessions(stack, rds, database)),
    )


def _readers(aws: Aws, learn: Learn) -> tuple[Parameters, SecretValues]:
    """Who reads secrets; `learn` is told each of them."""
    parameters = Parameters(aws.client("ssm"), lambda value: learn(redact.from_secret(value)))
    secrets = Secrets(aws.client("secretsmanager"), lambda value: learn(redact.from_secret(value)))
    return parameters, SecretValues(secrets, parameters)


def _sessions(stack: Stack, rds: DbServers, database: Server) -> Sequence[Session]:
    """Who is connected; nobody to a server that doesn't run."""
    server = rds.server(stack.database.server)
    return database.sessions() if server.kind == ELSEWHERE or server.status in USABLE else ()


def _direct(stack: Stack, values: SecretValues, settings: Settings, environment: Mapping[str, str]) -> Server:
    from orchestrator.database.direct import DirectServer, Endpoint

    address, trusted = settings["database-address"], settings["database-ca-file"]
    endpoint = Endpoint(*address) if address else None
    if trusted is None and environment.get("PGSSLROOTCERT"):  # libpq's own
        trusted = Path(environment["PGSSLROOTCERT"])
    return DirectServer(stack.database, values.value, endpoint=endpoint, authorities=trusted)


def limits_of(settings: Settings, access: Access) -> Limits:
    """How long things may take. Nobody is waited for whose signing in could not help."""
    waits: float = settings["credentials-wait"]
    return Limits(
        settings["timeout"],
        settings["step-timeouts"],
        settings["poll"],
        lambda: waits if access.renewable else 0.0,
    )


def zones_of(stack: Stack) -> frozenset[ZonePlace]:
    """Every zone the contract names."""
    wanted = (places.wanted(stack, tenant) for tenant in stack.tenants)
    return frozenset(ZonePlace(one.provider, one.zone) for one in wanted if one is not None)


def roles_of(stack: Stack) -> dict[str, str]:
    """By zone the role that the contract names for it."""
    wanted = (places.wanted(stack, tenant) for tenant in stack.tenants)
    return {one.zone: one.role_arn for one in wanted if one is not None and one.role_arn}


def _providers(
    stack: Stack, aws: Aws, settings: Settings, environment: Mapping[str, str], clock: SystemClock
) -> Callable[[str], DnsProvider]:
    """The contract's are made now; another one (of an earlier contract, to undo) when asked for."""
    make = cache(lambda name: connect_provider(name, aws, settings, environment, clock, roles=roles_of(stack)))
    for place in zones_of(stack):
        make(place.provider)
    return make


def history(stack: Stack, directory: Path, clock: SystemClock) -> History:
    """What was changed in DNS for this stack from this directory."""
    return History(directory / ".orchestrate" / FILE, stack.stack, clock.now)


def connect_provider(
    name: str,
    aws: Aws,
    settings: Settings,
    environment: Mapping[str, str],
    clock: SystemClock,
    *,
    roles: Mapping[str, str] | None = None,
) -> DnsProvider:
    """The provider of this name, given what it needs to reach its service."""
    variables = {**environment, "ORCHESTRATE_PORKBUN_URL": settings["porkbun-url"]}
    connection = Connection(variables, aws.client, clock.sleep, clock.monotonic, aws.region, roles or {}, aws.assumed)
    return dns.connect(name, connection)
