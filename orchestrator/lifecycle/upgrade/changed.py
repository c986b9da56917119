"""`version-changed`: the tenant's newest task definition, and the contract, are as the next version needs them.

Nothing runs with it yet. Whoever keeps the stack changes the lines that are shown; it is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.engine.step import Blocked, Done, Step, Subject, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.lifecycle.upgrade.path import COPIES, NEEDS, SIZES, TenantVersion, lacking, missing, number, unfit
from orchestrator.stack.indexes import OPENSEARCH, VESPA


class ChangeContext(Protocol):
    """What the step needs."""

    @property
    def look(self) -> Callable[[], Mapping[Subject, TenantVersion]]:
        """Reads the contract, and the newest task definitions of its tenants, anew."""
        ...

    @property
    def next_version(self) -> str:
        """The tag that is waited for."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """By tenant what is seen of it, and the version it shall be changed to."""

    tenants: Mapping[Subject, TenantVersion]
    version: str


def observe(context: ChangeContext) -> ChangeFacts:
    """A look at the services, and two task definitions for each tenant."""
    return ChangeFacts(context.look(), context.next_version)


def decide(facts: ChangeFacts) -> Verdicts:
    """Per tenant."""
    return {tenant: _verdict(tenant, it, facts.version) for tenant, it in facts.tenants.items()}


def _verdict(tenant: Subject, it: TenantVersion, version: str) -> Verdict:
    runs = number(it.running.get(tenant, "")) == number(version)
    left = lacking(it, version) if runs else missing(it, version)
    if problem := None if runs else unfit(it, version, tenant):
        return Blocked(problem)
    if not left:
        return Done(f"the newest task definition has {version}, and what it needs")
    wanted = lines_after(tenant) if runs else lines(tenant, version)
    fix = f"{'; '.join(wanted)}; then run the same command again"
    return Wait(f"waiting for these changes: {'; '.join(left)}", "version-not-changed", fix, progress="; ".join(left))


def lines(tenant: Subject, version: str) -> tuple[str, ...]:
    """What to change before anything is rolled out, in our own terraform/ and in another's. Pure."""
    major = number(version)[0]
    kept = ', index = "both"' if major > COPIES else ""
    targets = " ".join(f"-target='{one}'" for one in _unused_yet(tenant, major))
    ours = (
        f'in terraform/: tenants = {{ {tenant} = {{ onyx_version = "{version}"{kept}, … }} }}, then only what nothing '
        f"runs with yet: terraform apply {targets}"
    )
    theirs = [f"image tags {version} (backend, web server)"]
    if OPENSEARCH in NEEDS[major]:
        theirs.append(
            "OPENSEARCH_HOST, OPENSEARCH_REST_API_PORT, OPENSEARCH_ADMIN_USERNAME, OPENSEARCH_ADMIN_PASSWORD and "
            "USER_AUTH_SECRET for api and background"
        )
    if VESPA in NEEDS[major] and major == COPIES:
        theirs.append("VESPA_HOST as it is, and ENABLE_OPENSEARCH_INDEXING_FOR_ONYX = true")
    if major >= COPIES:
        theirs.append(", ".join(f"{name} {least} MiB" for name, least in SIZES.items()))
    return ours, f"in a stack of another make: {'; '.join(theirs)}; register the revision without rolling it out"


def _unused_yet(tenant: Subject, major: int) -> tuple[str, ...]:
    """Addresses in our terraform/ of what a version needs and no running task uses. Pure."""
    own = f'module.tenant["{tenant}"]'
    if major < COPIES:
        return (f"{own}.aws_ecs_task_definition.this",)
    made = (f"{own}.aws_ecs_task_definition.this", f"{own}.aws_ecs_task_definition.worker")
    return (
        f'module.opensearch["{tenant}"]',
        f"{own}.aws_vpc_security_group_ingress_rule.from_tasks",
        *made,
    )


def lines_after(tenant: Subject) -> tuple[str, ...]:
    """What to change once the version's service is up: the rest of what it needs. Pure."""
    theirs = (
        f"in a stack of another make: a service for background (no load balancer, {SIZES['background']} MiB at least), "
        f"named in the contract as tenants.{tenant}.workers.background; tenants.{tenant}.index.opensearch "
        f"(vespa.{tenant} stays)"
    )
    return "in terraform/: orchestrate apply, now the whole", theirs


STEP: Step[ChangeContext, ChangeFacts] = Step(
    id="version-changed",
    title="the next version's task definition is registered, with its indexes",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=86400,
    poll=15,
)
