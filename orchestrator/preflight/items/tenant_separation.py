"""What tenants may share are servers; if they shared more, one would break another's data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from orchestrator.checklist.facts import NOT_ONYX, runs_another, task_definition
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    Status,
    not_judged,
    passed,
    unknown,
)
from orchestrator.doctor.checks.bucket import DEFAULT_PREFIX
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.tenancy import ResourceOwner, contract_of

Values = Mapping[str, tuple[str, ...]]


def judge(evidence: Evidence) -> Iterator[Remark]:
    """One tenant alone shares with nobody, nor do services of another application that are nobody's tenants.

    Databases are in the contract even while containers are unknown.
    """
    said_so = contract_of(evidence.blueprint.outputs) is not None
    units = [one for one in evidence.units if said_so or not runs_another(one.definition)]
    for one in evidence.units:
        if one not in units:
            yield not_judged(f"what it shares: {NOT_ONYX}", subject=one.tenant, address=one.service.address)
    if len(units) < 2:
        return
    try:
        said = {one.tenant: _of(one.tenant, evidence) for one in units}
    except NotKnown:
        known = {name: _places(it) for name, it in evidence.tenancy.tenants.items()}
        shared = list(_shared(evidence, "database", known))
        yield from shared or [unknown("the environment of the tenants' containers is not known until applied")]
        return
    shared = []
    for thing in ("database", "Redis database", "S3 prefix", "Vespa", "OpenSearch"):
        shared += _shared(evidence, thing, {tenant: values[thing] for tenant, values in said.items()})
    yield from dict.fromkeys(shared) or [passed("each tenant has its own")]


def _places(one: ResourceOwner) -> tuple[str, ...]:
    """The database, on its server: two servers may each have one of the same name."""
    return ("/".join((*sorted(one.servers)[:1], one.database)),) if one.database else ()


def _of(tenant: str, evidence: Evidence) -> dict[str, tuple[str, ...]]:
    definition = next(one.definition for one in evidence.units if one.tenant == tenant)
    if definition is None:
        raise NotKnown(tenant, "task_definition")
    said = task_definition(definition).variables()
    redis, bucket = said.get("REDIS_HOST", ""), said.get("S3_FILE_STORE_BUCKET_NAME", "")
    numbers = (
        said.get("REDIS_DB_NUMBER", "0"),
        said.get("REDIS_DB_NUMBER_CELERY", "15"),
        said.get("REDIS_DB_NUMBER_CELERY_RESULT_BACKEND", "14"),
    )
    host = said.get("POSTGRES_HOST", "").partition(":")[0]
    return {
        "database": (f"{host}/{said.get('POSTGRES_DB', 'postgres')}",) if host else (),
        "Redis database": tuple(f"{redis}/{number}" for number in numbers) if redis else (),
        "S3 prefix": (f"{bucket}/{said.get('S3_FILE_STORE_PREFIX', DEFAULT_PREFIX)}",) if bucket else (),
        "Vespa": (said["VESPA_HOST"],) if said.get("VESPA_HOST") else (),
        "OpenSearch": (said["OPENSEARCH_HOST"],) if said.get("OPENSEARCH_HOST") else (),
    }


_WANTED = {
    "database": '{ name = "POSTGRES_DB", value = "onyx_<tenant>" }',
    "Redis database": '{ name = "REDIS_DB_NUMBER", value = "<3 x slot>" } # …_RESULT_BACKEND + 1, …_CELERY + 2',
    "S3 prefix": '{ name = "S3_FILE_STORE_PREFIX", value = "onyx-files/<tenant>" }',
    "Vespa": '{ name = "VESPA_HOST", value = <an instance of the tenant\'s own> }',
    "OpenSearch": '{ name = "OPENSEARCH_HOST", value = <an instance of the tenant\'s own> }',
}


def _shared(evidence: Evidence, thing: str, said: Values) -> Iterator[Remark]:
    users: dict[str, set[str]] = defaultdict(set)
    for tenant, values in said.items():
        for value in values:
            users[value].add(tenant)
    # Without a contract each service counts as a tenant, and two services may well be one tenant's.
    severity = Severity.BLOCKER if contract_of(evidence.blueprint.outputs) else Severity.WARNING
    for value, tenants in users.items():
        if len(tenants) > 1:
            names = ", ".join(sorted(tenants))
            yield Remark(
                status=Status.FAILED,
                code=f"tenants-share-{thing.lower().replace(' ', '-')}",
                severity=severity,
                says=f"{names} share a {thing}: each can see or break the other's data",
                why=f"all of them get {value}",
                address=next(
                    (it.definition.address for it in evidence.units if it.definition and it.tenant in tenants), ""
                ),
                current=f"{value} for {names}",
                wanted=f"each tenant with its own {thing}",
                hcl=_WANTED[thing],
            )


ITEM = Item(
    id="tenant-separation",
    title="Tenants share no database, Redis number, S3 prefix or search index",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
