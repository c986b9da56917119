"""The doctor's composition: what the checks read with, and what they found as events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import Protocol

from orchestrator.aws.acm import Acm
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.cloudwatch import CloudWatch
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.iam import Iam
from orchestrator.aws.listeners import Listeners
from orchestrator.aws.logs import Logs
from orchestrator.aws.network import Network
from orchestrator.aws.s3 import S3
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.session import Aws
from orchestrator.aws.ssm import Ssm
from orchestrator.aws.values import SecretValues
from orchestrator.database.server import Server
from orchestrator.dns.resolve import Resolver
from orchestrator.doctor import checks, contradictions
from orchestrator.doctor.readers import Readers
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Case, Diagnosis, Finding, Severity, examine
from orchestrator.engine.clock import Clock
from orchestrator.engine.step import Subject
from orchestrator.engine.unconfirmed import WINDOW
from orchestrator.errors import Outcome
from orchestrator.events import Emit, FindingReported
from orchestrator.site import visits
from orchestrator.steps import dns_records


class DoctorContext(visits.VisitsContext, dns_records.DnsRecordsContext, Protocol):
    """What the steps' context has of what the checks need."""

    @property
    def rds(self) -> DbServers: ...  # noqa: D102
    @property
    def ssm(self) -> Ssm: ...  # noqa: D102
    @property
    def elasticache(self) -> ElastiCache: ...  # noqa: D102
    @property
    def secrets(self) -> SecretValues: ...  # noqa: D102
    @property
    def ecs(self) -> Ecs: ...  # noqa: D102
    @property
    def targets(self) -> Elbv2: ...  # noqa: D102
    @property
    def logs(self) -> Logs: ...  # noqa: D102
    @property
    def database(self) -> Server: ...  # noqa: D102
    @property
    def resolver(self) -> Resolver: ...  # noqa: D102


def consult(context: DoctorContext, aws: Aws, clock: Clock, subjects: Collection[Subject] | None = None) -> Diagnosis:
    """Examine the whole stack, changing nothing.

    Once more where it may have been paused by hand just now: what AWS shows late would be named as a cause.
    """
    readers = _readers(context, aws)
    first = _look(Scene(context.stack, readers, clock.now(), clock.monotonic), subjects)
    if not first.may_be_early:
        return first
    clock.sleep(WINDOW)
    return _look(Scene(context.stack, readers, clock.now(), clock.monotonic), subjects)


def _look(scene: Scene, subjects: Collection[Subject] | None) -> Diagnosis:
    return examine(
        checks.discover(),
        scene,
        subjects=subjects,
        resting=scene.resting,
        missed=lambda: scene.missed,
        reconcile=lambda found: contradictions.reconciled(found, scene.observations()),
    )


def _readers(context: DoctorContext, aws: Aws) -> Readers:
    stack = context.stack
    return Readers(
        ecs=context.ecs,
        services=ClusterServices(aws.client("ecs"), stack.cluster, aws.recent("ecs")),
        autoscaling=Autoscaling(aws.client("application-autoscaling"), stack.cluster),
        targets=context.targets,
        listeners=Listeners(aws.client("elbv2")),
        logs=context.logs,
        rds=context.rds,
        elasticache=context.elasticache,
        network=Network(aws.client("ec2")),
        ssm=context.ssm,
        secrets=context.secrets,
        iam=Iam(aws.client("iam")),
        acm=Acm(aws.client("acm")),
        s3=S3(aws.client("s3"), stack.account_id),
        cloudwatch=CloudWatch(aws.client("cloudwatch")),
        counts=ServiceCounts(aws.client("ecs"), stack.cluster, aws.recent("ecs")),
        database=context.database,
        resolver=context.resolver,
        visit=partial(visits.look, context),
        close_looks=context.close_looks,
        records=lambda: dns_records.decide(dns_records.observe(context)),
        direct=not context.needs_runner,
    )


def led_by(diagnosis: Diagnosis, own: Collection[tuple[Subject, str]]) -> Diagnosis:
    """With the cases first that tell of what the run's own steps ended with: by tenant, the problem's code. Pure."""

    def speaks(case: Case) -> bool:
        return any(
            one.subject == subject and one.code in (code, f"task-{code}")
            for one in (case.root, *case.consequences)
            for subject, code in own
        )

    return replace(diagnosis, cases=tuple(sorted(diagnosis.cases, key=lambda case: not speaks(case))))


def report(diagnosis: Diagnosis, emit: Emit) -> Outcome:
    """Every root cause, followed by what it explains; failed when there is a blocker, or a check could not look."""
    for event in events(diagnosis):
        emit(event)
    unknown = diagnosis.severity is Severity.BLOCKER or diagnosis.blind
    return Outcome.FAILED if unknown else Outcome.SUCCEEDED


def events(diagnosis: Diagnosis) -> Iterator[FindingReported]:
    """Every root cause, followed by what it explains."""
    for case in diagnosis.cases:
        yield _event(case.root)
        yield from (_event(one, case.root.code) for one in case.consequences)


def _event(found: Finding, root: str = "") -> FindingReported:
    return FindingReported(
        step="doctor",
        subject=found.subject,
        detail=found.symptom,
        code=found.code,
        fix=found.fix,
        severity=found.severity.value,
        check=found.check,
        cause=found.cause,
        evidence=found.evidence,
        guide=found.guide,
        root=root,
        page=found.page,
        repair=found.repair,
    )
