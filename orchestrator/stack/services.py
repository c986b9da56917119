"""A tenant's ECS services: the one behind the load balancer, and those that work without one.

A *subject* names a service wherever services are looked at one by one: the tenant's own name for the first,
`TENANT/NAME` for another (`customer-a/background`). Whoever waits, redeploys or scales treats all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from orchestrator.engine.step import SEPARATOR, Subject
from orchestrator.errors import Problem
from orchestrator.stack import patterns
from orchestrator.stack.values import Section, Text

WorkerName = Annotated[str, Field(max_length=64, pattern=patterns.CLUSTER)]


class WorkerService(Section):
    """A service of a tenant without a load balancer, in the same cluster: Onyx's `background` from 3.x on, say."""

    service: Text
    log_group: Text | None = None
    """None: the tenant's."""


class NamedService(NamedTuple):
    """One service of a tenant. `name` is what it is called, `CLUSTER/NAME` in another cluster than the stack's."""

    subject: Subject
    tenant: str
    service: str
    """As the contract has it."""
    name: str
    target_group_arn: str = ""
    """Where its tasks are registered; empty: nowhere."""
    log_group: str | None = None


def subject_of(tenant: str, worker: str) -> Subject:
    """What this service beside a tenant's first is called."""
    return f"{tenant}{SEPARATOR}{worker}"


OWN = ("database", "role", "service", "hostname", "target_group_arn")
"""What a tenant must have for itself."""


def duplicates(tenants: Mapping[str, Mapping[str, Any]], admin_user: Any, source: str) -> Iterator[Problem]:
    """Tenants that would share what must be their own: names are per tenant, one value may occur once.

    A service beside the first comes as a tenant with nothing but that. The admin user is nobody's own: tenants that
    sign in as it share it.
    """
    for key in OWN:
        owners: dict[Any, list[str]] = {}
        for name, tenant in tenants.items():
            if key in tenant and (key != "role" or tenant[key] != admin_user):
                owners.setdefault(tenant[key], []).append(name)
        for value, names in owners.items():
            if len(names) > 1:
                yield Problem(
                    f"contract-duplicate-{key.replace('_', '-')}",
                    f"{value} is used by {len(names)} tenants: {', '.join(sorted(names))}",
                    f"{source}: tenants.*.{key}",
                    f"give each tenant a {key} of its own",
                )
