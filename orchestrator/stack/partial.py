"""What is wrong in a contract that is not whole yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from orchestrator.aws.value_from import keys_apart
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack, problem_of, reserved_role
from orchestrator.stack.names import reserved_for_roles


def defects_in(document: Mapping[str, Any], source: str) -> Iterator[tuple[tuple[str, ...], Problem]]:
    """What is wrong in a contract as far as it is said, each with its key: what it lacks is no defect yet."""
    try:
        Stack.model_validate(keys_apart(document), strict=True)
    except ValidationError as error:
        for found in error.errors(include_input=False):
            if found["type"] != "missing":
                yield tuple(map(str, found["loc"])), problem_of(found, source)
    admin = document.get("database")
    known = admin.get("admin_user") if isinstance(admin, Mapping) else None
    for name, tenant in _tenants(document).items():
        role = tenant.get("role")
        if isinstance(role, str) and known is not None and reserved_for_roles(role) and role != known:
            yield ("tenants", name, "role"), reserved_role(name, role, source)


def _tenants(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    said = document.get("tenants")
    return {name: one for name, one in said.items() if isinstance(one, Mapping)} if isinstance(said, Mapping) else {}
