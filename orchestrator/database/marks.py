"""Whose a database or a role is: a mark in the server itself, in its comment (COMMENT ON). Pure.

A comment lives with what it is about: it survives a rename, and is in a snapshot of the server. What people wrote in
the comment stays: the mark is a line of its own, `orchestrate {"server": …, "stack": …, "tenant": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal

_WORD = "orchestrate "
LINE = r"orchestrate \{[^\n]*\}"
"""PostgreSQL's regular expression for the line."""

Kind = Literal["DATABASE", "ROLE"]
CATALOGUES: dict[Kind, tuple[str, str]] = {"DATABASE": ("pg_database", "datname"), "ROLE": ("pg_authid", "rolname")}
"""Where a kind's comments are kept, and how its catalogue calls the name (roles are read in `pg_roles`)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Who made it, on which server (its host): a copy of a server brings along the marks of the original."""

    stack: str
    tenant: str
    server: str = ""

    @property
    def line(self) -> str:
        """As it stands in the comment."""
        return _WORD + json.dumps(asdict(self), sort_keys=True)


def read(line: str) -> Mark | None:
    """From the comment's line; None: nobody's mark, or one that can't be read."""
    try:
        said = json.loads(line.removeprefix(_WORD))
        return Mark(str(said["stack"]), str(said["tenant"]), str(said["server"]))
    except (ValueError, KeyError, TypeError):
        return None


def counts_for(mark: Mark | None, own: Mark) -> Mark | None:
    """The mark, unless it came along with a copy of the server of another stack: then it says nothing here."""
    if mark is None or (mark.stack != own.stack and mark.server != own.server):
        return None
    return mark


def is_anothers(mark: Mark | None, own: Mark, tenants: Collection[str]) -> bool:
    """Whether somebody else's mark stands there: another stack's, or another tenant's that the stack still has."""
    mark = counts_for(mark, own)
    if mark is None:
        return False
    return mark.stack != own.stack or (mark.tenant != own.tenant and mark.tenant in tenants)


def line_of(kind: Kind, oid: str) -> str:
    """SQL: the mark's line in the comment of the object whose OID stands in `oid`; null where there is none."""
    return f"substring(shobj_description({oid}, '{CATALOGUES[kind][0]}') from '{LINE}')"


def setting(kind: Kind, name: str, line: str) -> str:
    """A SELECT that gives the statement which sets the mark and keeps what people wrote; no row where it is set.

    `name` and the mark's `line` are SQL literals.
    """
    catalogue, column = CATALOGUES[kind]
    said = f"shobj_description(oid, '{catalogue}')"
    people = rf"nullif(regexp_replace(coalesce({said}, ''), '\n?{LINE}', '', 'g'), '')"
    return (
        f"SELECT format('COMMENT ON {kind} %I IS %L', {name}, concat_ws(chr(10), {people}, {line})) "
        f"FROM {catalogue.replace('pg_authid', 'pg_roles')} WHERE {column} = {name} "
        f"AND {line_of(kind, 'oid')} IS DISTINCT FROM {line}"
    )
