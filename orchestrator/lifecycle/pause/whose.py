"""Whose which instances are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.contract import Stack
from orchestrator.engine.step import STACK, Subject
from orchestrator.errors import Problem

GONE = frozenset({"shutting-down", "terminated"})


def owners(stack: Stack) -> Mapping[Subject, tuple[str, ...]]:
    """By tenant its Vespa's instance; the stack's are the runner, whoever's Vespa it has, and what is no tenant's."""
    shared = {stack.runner.instance_id} if stack.runner else set()
    shared |= {vespa.instance_id for tenant, vespa in stack.vespa.items() if tenant not in stack.tenants}
    own = {tenant: (vespa.instance_id,) for tenant, vespa in stack.vespa.items() if tenant in stack.tenants}
    return {STACK: tuple(sorted(shared)), **own}


def gone(missing: Sequence[str]) -> Problem:
    """Instances that the contract names and EC2 doesn't know."""
    names = ", ".join(missing)
    fix = "the contract is older than the stack: run terraform apply, or give the present outputs"
    return Problem("instance-missing", f"there is no instance {names}", names, fix)
