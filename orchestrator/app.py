"""The composition root: the only file that knows everything. Imported by a command when it runs, never before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator import certificates, contract, dns, probe, redact, steps
from orchestrator.aws.acm import Acm
from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.logs import Logs
from orchestrator.aws.rds import Rds
from orchestrator.aws.secrets import Secrets
from orchestrator.aws.session import Aws
from orchestrator.aws.ssm import Ssm
from orchestrator.consultation import consult
from orchestrator.contract import Stack
from orchestrator.database.model import Server
from orchestrator.dns import model, places, resolve, undo, visibility
from orchestrator.dns.history import FILE, History
from orchestrator.dns.model import Change, Connection, DnsProvider
from orchestrator.dns.places import Place
from orchestrator.dns.undo import Restoration
from orchestrator.dns.visibility import Sighting
from orchestrator.engine import graph, runner
from orchestrator.engine.check import Diagnosis
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.runner import Around, Limits, Report
from orchestrator.engine.step import Subject, Verdict
from orchestrator.errors import Invalid, Problem, TimedOut
from orchestrator.events import Emit
from orchestrator.rollouts import Watch
from orchestrator.settings import Settings
from orchestrator.steps import services
from orchestrator.steps.dns_records import Rules
from orchestrator.terraform import Output, Terraform

SETTLING = 300.0
"""Seconds until every name server of a zone has a change, at most."""
CONTRACT_VARIABLE = "ORCHESTRATE_CONTRACT"
Learn = Callable[[Iterable[str]], None]
"""Told of every secret value that is read, so that it can be hidden wherever words are shown."""


def no_secrets(_values: Iterable[str]) -> None:
    """For callers that show nothing."""


@dataclass(frozen=True)
class Context:
    """What steps see. The last five are the run's memory: what it did, which the next run observes anew."""

    stack: Stack
    started: datetime
    now: Callable[[], datetime]
    wait_rules: services.Rules
    rds: Rds
    ec2: Ec2
    ssm: Ssm
    elasticache: ElastiCache
    secrets: Secrets
    ecs: Ecs
    targets: Elbv2
    logs: Logs
    database: Server
    needs_runner: bool
    dns: Callable[[str], DnsProvider]
    dns_rules: Rules
    resolver: resolve.Resolver
    probe: Callable[[str, str], probe.Probe]
    dns_tickets: list[tuple[str, str]] = field(default_factory=list)
    redis_rotated: set[str] = field(default_factory=set)
    databases_made: set[str] = field(default_factory=set)
    deployments: dict[str, str] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps and tenants were asked for (empty: all), and whether a service scaled to 0 counts as up."""

    only: Collection[str] = ()
    skip: Collection[str] = ()
    tenants: Collection[str] = ()
    allow_zero: bool = False


@dataclass(frozen=True, slots=True)
class DnsRules:
    """How this command may change DNS records. `directory` keeps what they were; the rest is `dns_records.Rules`'."""

    directory: Path = Path()
    adopt: bool = False
    managed: Callable[[], frozenset[str]] = frozenset


class Operation:
    """One command's work on one stack."""

    def __init__(
        self,
        stack: Stack,
        selection: Selection,
        settings: Settings,
        environment: Mapping[str, str],
        clock: SystemClock,
        *,
        learn: Learn = no_secrets,
        rules: DnsRules | None = None,
    ) -> None:
        self.stack = stack
        self.clock = clock
        self._limits = Limits(settings["timeout"], settings["step-timeouts"], settings["poll"])
        self._subjects = _known_tenants(selection.tenants, stack)
        discovered = steps.discover()
        graph.subset(discovered, only=self._limits.steps)
        self._steps = graph.subset(discovered, only=selection.only, skip=selection.skip)
        self.aws = Aws(stack.region, settings["profile"])
        heals = any(step.id == "tenant-databases" for step in self._steps)
        waiting = services.Rules(selection.allow_zero, settings["settle"], heals)
        self._context = _connect(
            stack, self.aws, settings, environment, clock, learn=learn, rules=rules or DnsRules(), waiting=waiting
        )

    def verify(self) -> None:
        """What must hold before anything is changed: the right account, working DNS credentials, a load balancer."""
        self.aws.require_account(self.stack.account_id)
        if any(step.id == "dns-records" for step in self._steps):
            for place in sorted(_places(self.stack)):
                self._context.dns(place.provider).check(place.zone)
            self._context.targets.require(self.stack.load_balancer, self.stack.region)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Bring the stack to life; `around` is entered for each change."""
        return runner.run(
            self._steps,
            self._context,
            clock=self.clock,
            emit=emit,
            limits=self._limits,
            subjects=self._subjects,
            around=around,
        )

    def only_as_shown(self, changes: frozenset[Change]) -> None:
        """From now on no DNS change is made but these."""
        self._context = replace(self._context, dns_rules=replace(self._context.dns_rules, shown=changes))

    def undoable(self) -> tuple[Restoration, ...]:
        """What undoing the last DNS change of each name would come to; changes nothing."""
        names = None
        if self._subjects is not None:
            names = {model.normal(self.stack.tenants[tenant].hostname) for tenant in self._subjects}
        return undo.survey(self._context.dns_rules.history, self._context.dns, names)

    def undo(self, wanted: Collection[Restoration], around: Around = runner.unguarded) -> None:
        """Put these back, and wait until every name server has it. Raises `TimedOut` when they don't in time."""
        with around("dns-undo", {one.entry.change.name: str(one.change) for one in wanted if one.change}):
            tickets = undo.restore(self._context.dns_rules.history, self._context.dns, wanted)
        deadline = self.clock.monotonic() + SETTLING
        while not all(self._context.dns(provider).settled(ticket) for provider, ticket in tickets):
            if self.clock.monotonic() > deadline:
                fix = "look again with `orchestrate dns check`: the change is made"
                raise TimedOut(Problem("dns-not-settled", "the provider is still spreading it", "dns undo", fix))
            self.clock.sleep(min(self._limits.poll or 5.0, 5.0))

    def visibility(self, servers: Collection[str]) -> tuple[Sighting, ...]:
        """How each hostname looks from the authoritative or configured resolver, and from `servers` (ADDRESS:PORT)."""
        tenants = {it: self.stack.tenants[it].hostname for it in sorted(self._subjects or self.stack.tenants)}
        asked = {"": self._context.resolver, **{one: resolve.connect(one, ()) for one in servers}}
        return visibility.look(tenants, self.stack.load_balancer.dns_name, asked)

    def examine(self) -> Diagnosis:
        """What is wrong with the stack, causes first; changes nothing."""
        return consult(self._context, self.aws, self.clock.now, self._subjects)

    def survey(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """What each step observes now; changes nothing."""
        afresh = replace(self._context, watch=Watch())
        return runner.survey(self._steps, afresh, subjects=self._subjects)


class Certification:
    """One command's work on one certificate. It needs no stack: `terraform apply` makes that around it."""

    def __init__(
        self, request: certificates.Request, settings: Settings, environment: Mapping[str, str], clock: SystemClock
    ) -> None:
        self.aws = Aws(request.region, settings["profile"])
        self._account = request.account_id
        self._clock = clock
        self._limits = Limits(settings["timeout"], settings["step-timeouts"], settings["poll"])
        make = cache(lambda name: _provider(name, self.aws, settings, environment, clock))
        for wanted in (request.dns, *request.names.values()):
            if wanted:
                make(wanted.provider)
        self._context = certificates.Context(request, Acm(self.aws.client("acm")), make)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Until it is issued."""
        if self._account:
            self.aws.require_account(self._account)
        return runner.run(
            [certificates.STEP], self._context, clock=self._clock, emit=emit, limits=self._limits, around=around
        )


def verify_planned(
    plan: Mapping[str, Any], settings: Settings, environment: Mapping[str, str], clock: SystemClock
) -> None:
    """What a plan already tells of the contract is verified before it is applied: account, DNS provider and zone.

    `plan` is `terraform show -json` of it; of an output that is partly unknown, the known part stands in `after`.
    """
    after = plan.get("output_changes", {}).get("orchestrator", {}).get("after")
    if not isinstance(after, Mapping) or not after.get("region"):
        return
    aws = Aws(after["region"], settings["profile"])
    if after.get("account_id"):
        aws.require_account(after["account_id"])
    wanted = after.get("dns")
    if isinstance(wanted, Mapping) and wanted.get("provider") and wanted.get("zone"):
        provider = _provider(wanted["provider"], aws, settings, environment, clock)
        provider.check(wanted["zone"])


def _known_tenants(asked: Collection[str], stack: Stack) -> Collection[str] | None:
    unknown = sorted(set(asked) - stack.tenants.keys())
    if unknown:
        fix = f"the stack's tenants are {', '.join(sorted(stack.tenants))}"
        raise Invalid(*(Problem("tenant-unknown", f"there is no tenant {name!r}", "--tenant", fix) for name in unknown))
    return set(asked) or None


def _connect(
    stack: Stack,
    aws: Aws,
    settings: Settings,
    environment: Mapping[str, str],
    clock: SystemClock,
    *,
    learn: Learn,
    rules: DnsRules,
    waiting: services.Rules,
) -> Context:
    """Make every client, in this thread: boto3's sessions don't like to make them in several."""
    ssm = Ssm(aws.client("ssm"), sleep=clock.sleep, monotonic=clock.monotonic)
    secrets = Secrets(aws.client("secretsmanager"), lambda value: learn(redact.from_secret(value)))
    direct = settings["database-transport"] == "direct"
    resolver = ":".join(map(str, settings["resolver"])) if settings["resolver"] else None
    return Context(
        stack=stack,
        started=clock.now(),
        now=clock.now,
        wait_rules=waiting,
        rds=Rds(aws.client("rds")),
        ec2=Ec2(aws.client("ec2")),
        ssm=ssm,
        elasticache=ElastiCache(aws.client("elasticache")),
        secrets=secrets,
        ecs=Ecs(aws.client("ecs"), stack.cluster),
        targets=Elbv2(aws.client("elbv2")),
        logs=Logs(aws.client("logs")),
        database=_direct(stack, secrets, settings) if direct else _through(ssm, stack),
        needs_runner=not direct,
        dns=_providers(stack, aws, settings, environment, clock),
        dns_rules=Rules(history(stack, rules.directory, clock), rules.adopt, managed=rules.managed),
        resolver=resolve.connect(resolver, [place.zone for place in _places(stack)]),
        probe=probe.HttpsProbe(port=settings["site-port"], ca_file=settings["ca-file"]),
    )


def _through(ssm: Ssm, stack: Stack) -> Server:
    from orchestrator.database.ssm import SsmServer

    return SsmServer(ssm, stack.runner.instance_id, stack.database, stack.region)


def _direct(stack: Stack, secrets: Secrets, settings: Settings) -> Server:
    from orchestrator.database.direct import DirectServer, Endpoint

    address = settings["database-address"]
    return DirectServer(stack.database, secrets.value, endpoint=Endpoint(*address) if address else None)


def _places(stack: Stack) -> frozenset[Place]:
    """Every zone the contract names."""
    wanted = (places.wanted(stack, tenant) for tenant in stack.tenants)
    return frozenset(Place(one.provider, one.zone) for one in wanted if one is not None)


def _providers(
    stack: Stack, aws: Aws, settings: Settings, environment: Mapping[str, str], clock: SystemClock
) -> Callable[[str], DnsProvider]:
    """The contract's are made now, in this thread; another one (of an earlier contract, to undo) when asked for."""
    make = cache(lambda name: _provider(name, aws, settings, environment, clock))
    for place in _places(stack):
        make(place.provider)
    return make


def history(stack: Stack, directory: Path, clock: SystemClock) -> History:
    """What was changed in DNS for this stack from this directory."""
    return History(directory / ".orchestrate" / FILE, stack.stack, clock.now)


def _provider(
    name: str, aws: Aws, settings: Settings, environment: Mapping[str, str], clock: SystemClock
) -> DnsProvider:
    variables = {**environment, "ORCHESTRATE_PORKBUN_URL": settings["porkbun-url"]}
    return dns.connect(name, Connection(variables, aws.client, clock.sleep, clock.monotonic, aws.region))


def contract_from(
    given: str | None, terraform: Terraform, environment: Mapping[str, str], stdin: Any, learn: Learn = no_secrets
) -> Stack:
    """The contract: a file or `-` (standard input), else the environment, else the directory's Terraform outputs."""
    if given == "-":
        return contract.decode(stdin.read(), "standard input")
    if given:
        return contract.decode(_read(Path(given)), given)
    if environment.get(CONTRACT_VARIABLE):
        return contract.decode(environment[CONTRACT_VARIABLE], CONTRACT_VARIABLE)
    stack = contract_of_outputs(terraform, learn)
    if stack is None:
        fix = "run `orchestrate apply`, or name the directory with --chdir, or give --contract"
        raise Invalid(Problem("no-outputs", "Terraform has no outputs here yet", str(terraform.directory), fix))
    return stack


def contract_of_outputs(terraform: Terraform, learn: Learn = no_secrets) -> Stack | None:
    """The contract in `terraform output`; None when there are no outputs at all (nothing is applied)."""
    outputs = terraform.outputs()
    learn(_sensitive(outputs))
    if not outputs:
        return None
    if "orchestrator" not in outputs:
        fix = "add the `orchestrator` output (docs/reference/contract.md), or give --contract"
        message = f"there is no output named `orchestrator` among {', '.join(sorted(outputs))}"
        raise Invalid(Problem("no-contract-output", message, str(terraform.directory), fix))
    return contract.parse(outputs["orchestrator"].value, "output `orchestrator`")


def _sensitive(outputs: Mapping[str, Output]) -> Iterable[str]:
    """Values marked sensitive. Not the contract's: it holds no secret, and its names are what we speak of."""
    marked = (output.value for name, output in outputs.items() if output.sensitive and name != "orchestrator")
    return [leaf for value in marked for leaf in redact.strings_of(value)]


def records_of_terraform(state: Mapping[str, Any]) -> frozenset[str]:
    """The names of every `aws_route53_record` in a state (`terraform show -json`)."""
    modules = [state.get("values", {}).get("root_module", {})]
    names: set[str] = set()
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", ())
        held = (it["values"] for it in module.get("resources", ()) if it["type"] == "aws_route53_record")
        names |= {model.normal(it.get("fqdn") or it["name"]) for it in held}
    return frozenset(names)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(Problem("contract-unreadable", str(error), str(path), "name a readable JSON file")) from None
