"""Where a tenant's site is, for a browser."""

from __future__ import annotations

from orchestrator.errors import Invalid, Problem, correction
from orchestrator.workflows.caller import Caller, StackRef
from orchestrator.workflows.contract import contract

HTTPS = 443


def site_address(stack: StackRef, tenant: str, *, caller: Caller | None = None) -> str:
    """Its URL, from the contract alone. Raises `Invalid` for a tenant that the stack doesn't have."""
    from orchestrator.settings import Settings

    port = Settings(stack.settings, stack.environment, stack.directory)["site-port"]
    known = contract(stack, caller=caller).require().tenants
    if tenant not in known:
        fix = correction(tenant, sorted(known), "stack's tenants")
        raise Invalid(Problem("tenant-unknown", f"there is no tenant {tenant!r}", "TENANT", fix))
    return f"https://{known[tenant].hostname}{f':{port}' if port != HTTPS else ''}/"
