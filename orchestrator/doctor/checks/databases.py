"""Inside the database server: every tenant's database, its role, and whether the role can log in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.rds_statuses import UNREACHABLE
from orchestrator.database import ownership
from orchestrator.database.model import ServerContents, WantedDatabase, wanted_of
from orchestrator.database.ownership import OwnershipRules
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.errors import OrchestratorError

EXHAUSTED = re.compile(r"remaining connection slots|too many clients|too many connections")
"""PostgreSQL's 53300, in its own words: psql shows no code for a connection that was refused."""
REPAIR = "tenant-databases"
"""The step that repairs what is found here."""


@dataclass(frozen=True, slots=True)
class ExpectedDatabase:
    """What a tenant should have."""

    database: str
    role: str


@dataclass(frozen=True, slots=True)
class DatabasesCheckFacts:
    """What is wanted, by tenant, and what the server holds; None: it does not answer, of which another check speaks."""

    wanted: Mapping[str, ExpectedDatabase]
    seen: ServerContents | None
    instance: str
    refusal: str = ""
    """PostgreSQL's words when it has no connection for us."""
    tenants: tuple[WantedDatabase, ...] = ()
    existed: frozenset[str] = frozenset()
    """Tenants without a database whose service was up with one, or of whose service nothing could be seen."""


def gather(scene: Scene) -> DatabasesCheckFacts:
    """One session for all tenants, through the runner or directly, as the steps do."""
    wanted = {name: ExpectedDatabase(tenant.database, tenant.role) for name, tenant in scene.stack.tenants.items()}
    instance = scene.stack.database.server
    if scene.server().status in UNREACHABLE:
        return DatabasesCheckFacts(wanted, None, instance)
    try:
        seen = scene.databases()
    except OrchestratorError as error:
        said = error.problems[0].message
        if not EXHAUSTED.search(said):
            raise
        return DatabasesCheckFacts(wanted, None, instance, said)
    gone = frozenset(tenant for tenant, one in wanted.items() if one.database not in seen.databases)
    existed = gone - _never_up(scene) if gone else gone
    return DatabasesCheckFacts(wanted, seen, instance, tenants=wanted_of(scene.stack), existed=existed)


def _never_up(scene: Scene) -> frozenset[str]:
    """Tenants whose service could be looked at, and has not been up as far as ECS tells."""
    try:
        seen = scene.rollouts()
    except OrchestratorError:
        return frozenset()  # another check says why
    return frozenset(
        tenant for tenant, one in seen.items() if not (one.unread or (one.service and one.service.last_up))
    )


def judge(facts: DatabasesCheckFacts) -> Iterable[Finding]:
    """A database that is missing comes before a role, a role before a login."""
    seen = facts.seen
    if facts.refusal:
        yield _exhausted(facts)
    if seen is None:
        return
    for tenant, wish in facts.wanted.items():
        found = (
            _hindered(tenant, wish, seen)
            or _renamed(tenant, facts, seen)
            or _missing(tenant, wish, seen, facts.instance)
        )
        found = found or _login(tenant, wish, seen, ours=_is_ours(tenant, facts, seen))
        if found:
            yield found


def _exhausted(facts: DatabasesCheckFacts) -> Finding:
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
    return Finding(
        code="database-connections-exhausted",
        severity=Severity.BLOCKER,
        symptom=f"{facts.instance} has no connections left",
        cause="more clients than max_connections (which depends on the class's memory): pools are too large, or leak",
        fix=f"{ending} (as the admin user); then a larger instance_class, or smaller pools "
        "(POSTGRES_API_SERVER_POOL_SIZE)",
        evidence=(" ".join(facts.refusal.split())[:300],),
        explains=frozenset({"task-database-connections-exhausted", "task-container-exited"}),
    )


def _hindered(tenant: str, wish: ExpectedDatabase, seen: ServerContents) -> Finding | None:
    """What a person set: no password and no step of ours undoes it."""
    problem, login = seen.hindrances.get(tenant), seen.logins.get(tenant, "")
    if problem is None:
        return _reads_only(tenant, wish) if tenant in seen.read_only else None
    return Finding(
        code=problem.code,
        severity=Severity.WARNING if login == "ok" else Severity.BLOCKER,
        subject=tenant,
        symptom=f'role "{wish.role}" can\'t use "{wish.database}"',
        cause=problem.message,
        fix=problem.fix,
        evidence=(login[:300] if login not in ("", "ok") else f"seen in pg_roles and pg_database for {wish.role}",),
        explains=frozenset({f"task-{problem.code}", "task-database-login-denied", "task-container-exited"}),
    )


def _reads_only(tenant: str, wish: ExpectedDatabase) -> Finding:
    return Finding(
        code="database-read-only",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f'nothing can be written to "{wish.database}"',
        cause="a setting of the role or the database makes every transaction read-only",
        fix=f'ALTER DATABASE "{wish.database}" RESET default_transaction_read_only; ALTER ROLE "{wish.role}" RESET '
        "default_transaction_read_only (as the admin user; ask who set it)",
        evidence=("pg_db_role_setting: default_transaction_read_only=on",),
        explains=frozenset({"task-database-read-only", "task-container-exited"}),
    )


def _wanted(tenant: str, facts: DatabasesCheckFacts) -> WantedDatabase | None:
    return next((one for one in facts.tenants if one.tenant == tenant), None)


def _is_ours(tenant: str, facts: DatabasesCheckFacts, seen: ServerContents) -> bool:
    one = _wanted(tenant, facts)
    return one is None or ownership.database_is_ours(one, seen, OwnershipRules())


def _renamed(tenant: str, facts: DatabasesCheckFacts, seen: ServerContents) -> Finding | None:
    one, existed = _wanted(tenant, facts), tenant in facts.existed
    problem = ownership.renamed(one, facts.tenants, seen, OwnershipRules(), existed=existed) if one else None
    if one is None or problem is None:
        return None
    return Finding(
        code="database-renamed",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f'database "{one.database}" {"is empty" if one.database in seen.databases else "does not exist"}',
        cause=problem.message,
        fix=problem.fix,
        evidence=(f"databases on {facts.instance}: {', '.join(sorted(seen.databases))}",),
        explains=frozenset({"task-database-missing", "task-container-exited", "database-login-denied"}),
    )


def _missing(tenant: str, wish: ExpectedDatabase, seen: ServerContents, instance: str) -> Finding | None:
    there = ", ".join(sorted(seen.databases)) or "none"
    if wish.database not in seen.databases:
        return Finding(
            code="database-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f'database "{wish.database}" does not exist',
            cause=f"{instance} is new or was restored without it; Terraform creates servers, not databases",
            fix=f"orchestrate run --tenant {tenant}",
            evidence=(f"databases on {instance}: {there}",),
            explains=frozenset({"task-database-missing", "task-container-exited", "database-login-denied"}),
            repair=REPAIR,
        )
    if wish.role not in seen.roles and wish.role in seen.present:
        return Finding(
            code="database-role-without-login",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f'role "{wish.role}" may not log in',
            cause="it has NOLOGIN: somebody revoked its login, or created it without one",
            fix=f"orchestrate run --tenant {tenant} (this restores the login of a role that orchestrate created; for "
            f'any other role: ALTER ROLE "{wish.role}" LOGIN)',
            evidence=(f"rolcanlogin of {wish.role} is false",),
            explains=frozenset({"task-database-role-without-login", "task-database-login-denied"}),
            repair=REPAIR,
        )
    if wish.role not in seen.roles:
        return Finding(
            code="database-role-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f'role "{wish.role}" does not exist',
            cause=f"{instance} is new or was restored without it",
            fix=f"orchestrate run --tenant {tenant}",
            evidence=(f"roles on {instance}: {', '.join(sorted(seen.roles)) or 'none'}",),
            explains=frozenset({"task-database-login-denied", "task-database-missing"}),
            repair=REPAIR,
        )
    return None


def _login(tenant: str, wish: ExpectedDatabase, seen: ServerContents, *, ours: bool) -> Finding | None:
    adopt = "" if ours else f" --adopt-database {wish.database}"
    owner = seen.databases[wish.database]
    if owner != wish.role:
        return Finding(
            code="database-owner-wrong",
            severity=Severity.WARNING,
            subject=tenant,
            symptom=f'database "{wish.database}" belongs to "{owner}"',
            cause="migrations need the tenant's own role to own it",
            fix=f"orchestrate run --tenant {tenant}{adopt} (or: ALTER DATABASE {wish.database} OWNER TO {wish.role};)",
            evidence=(f"owner {owner}, wanted {wish.role}",),
            explains=frozenset({"task-database-permission-denied"}),
            repair=REPAIR if ours else "",
        )
    login = seen.logins.get(tenant, "ok")
    if login == "ok" or tenant in seen.secrets:
        return None
    return Finding(
        code="database-login-denied",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f'role "{wish.role}" can\'t sign in to "{wish.database}"',
        cause="its password on the server is not the one in its secret",
        fix=f"orchestrate run --tenant {tenant}{adopt}",
        evidence=(login[:300],),
        explains=frozenset({"task-database-login-denied"}),
        repair=REPAIR,
    )


CHECK: Check[Scene, DatabasesCheckFacts] = Check(
    id="databases",
    title="Every tenant has its database and can log in",
    gather=gather,
    judge=judge,
    guide_section="Terraform Destroy/Apply Cycle",
)
