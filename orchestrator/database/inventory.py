"""What a tenant's database holds, in figures that can be compared after a restore; and its settings that are no secret.

Read by the tenant's own role (nobody else may connect), in one read-only transaction: one instant. A table's digest is
the sum of 60 bits of each row's MD5: independent of the rows' order, so nothing is sorted, and the same on any server
that writes values as text alike (the session's settings see to that). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.database.model import WantedDatabase, literal
from orchestrator.database.server import Server
from orchestrator.engine.subjects import ABOUT_US, Attempts, attempt
from orchestrator.errors import OrchestratorError, Transient
from orchestrator.redact import sounds_secret

SESSION = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO'",
    "SET intervalstyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
)
SIZE = "SELECT $$SELECT jsonb_build_object('bytes', pg_database_size(current_database()))$$"
TABLES = """
SELECT format(
  $$SELECT jsonb_build_object('table', %L, 'rows', count(*),
    'digest', coalesce(sum(('x' || left(md5(a_row::text), 15))::bit(60)::bigint::numeric), 0)::text) FROM %I.%I a_row$$,
  nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""
SHOWN: Mapping[str, Sequence[str]] = {
    "key_value_store": ("key", "value"),
    "search_settings": ("model_name", "model_dim", "provider_type", "index_name", "status", "multipass_indexing"),
    "embedding_provider": ("provider_type", "api_url"),
    "llm_provider": ("name", "provider", "api_base", "api_version", "default_model_name", "is_default_provider"),
    "connector": ("name", "source", "input_type", "refresh_freq", "prune_freq"),
    "document_set": ("name", "description", "is_public"),
    "persona": ("name", "description", "is_public", "is_default_persona"),
    "alembic_version": ("version_num",),
}
"""Onyx's tables and columns with settings that a person wants to read again; none of them holds a credential."""
MOST_ROWS = 200
"""Of a table: so many are shown, and so far are they counted where a number alone is wanted."""
READERS = 4
"""Tenants whose every row is read at the same time."""
AT_ONCE = 50
"""Tenants in one command where each answer is a line."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table's contents."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class DatabaseInventory:
    """One database. `settings`: table → rows, without what sounds secret."""

    bytes: int = 0
    tables: Mapping[str, Table] = field(default_factory=dict)
    settings: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """In all tables."""
        return sum(table.rows for table in self.tables.values())


def settings_of(shown: Mapping[str, Sequence[str]] = SHOWN) -> str:
    """The generator that reads those tables and columns that are there."""
    pairs = ", ".join(f"({literal(table)}, {literal(column)})" for table, names in shown.items() for column in names)
    return f"""
SELECT format(
  $$SELECT jsonb_build_object('settings', %L, 'rows', coalesce(jsonb_agg(a_row), '[]'))
    FROM (SELECT %s FROM public.%I ORDER BY 1 LIMIT {MOST_ROWS}) a_row$$,
  table_name, string_agg(format('%I', column_name), ', ' ORDER BY ordinal_position), table_name)
FROM information_schema.columns WHERE table_schema = 'public' AND (table_name, column_name) IN ({pairs})
GROUP BY table_name ORDER BY 1
"""


def _counted(table: str) -> str:
    """The generator that counts a table's rows, if there is such a table; quick, however many there are."""
    return f"""
SELECT format(
  $$SELECT jsonb_build_object('counted', %L, 'rows', count(*)) FROM (SELECT FROM public.%I LIMIT {MOST_ROWS}) a_row$$,
  relname, relname)
FROM pg_class WHERE oid = to_regclass('public.' || quote_ident({literal(table)})) AND relkind IN ('r', 'p')
"""


def sizes(server: Server, wanted: Sequence[WantedDatabase]) -> Mapping[str, DatabaseInventory]:
    """Bytes alone: quick."""
    said = server.read(wanted, (SIZE,), at_once=AT_ONCE)
    return {tenant: parsed(lines) for tenant, lines in said.items()}


def inventories(server: Server, wanted: Sequence[WantedDatabase]) -> Mapping[str, DatabaseInventory]:
    """Everything: each row is read."""
    said = server.read(wanted, (SIZE, TABLES, settings_of()), at_once=1)
    return {tenant: parsed(lines) for tenant, lines in said.items()}


def inventory_of_each(server: Server, wanted: Sequence[WantedDatabase]) -> Attempts[DatabaseInventory]:
    """As `inventories`; what can't be read of one tenant is its own failure."""
    known = {one.tenant: one for one in wanted}
    return attempt(known, lambda tenant: inventories(server, [known[tenant]])[tenant], at_once=READERS)


def rows_of(server: Server, wanted: Sequence[WantedDatabase], table: str) -> Mapping[str, int | None]:
    """Rows of a table, counted up to `MOST_ROWS`; None: there is no such table, or nobody could look."""
    generators = (_counted(table),)
    try:
        said = server.read(wanted, generators, at_once=AT_ONCE)
    except (Transient, *ABOUT_US):
        raise
    except OrchestratorError:  # of one tenant at least: the others' are read all the same
        known = {one.tenant: one for one in wanted}
        one_by_one = attempt(
            known, lambda name: server.read([known[name]], generators, at_once=1)[name], at_once=READERS
        )
        said = one_by_one.results
    return {one.tenant: _number(said.get(one.tenant, ()), table) for one in wanted}


def _number(lines: Iterable[str], table: str) -> int | None:
    counted = (one for one in map(json.loads, lines) if one.get("counted") == table)
    return next((int(one["rows"]) for one in counted), None)


def parsed(lines: Iterable[str]) -> DatabaseInventory:
    """From the JSON lines."""
    size, tables, settings = 0, {}, {}
    for line in lines:
        said = json.loads(line)
        if "table" in said:
            tables[said["table"]] = Table(said["rows"], said["digest"])
        elif "settings" in said:
            settings[said["settings"]] = [plain(row) for row in said["rows"] if not sounds_secret(_name_in(row))]
        else:
            size = said["bytes"]
    return DatabaseInventory(size, tables, settings)


def _name_in(row: Mapping[str, Any]) -> str:
    return str(row.get("key", ""))


def plain(value: Any) -> Any:
    """The value without the members whose names sound secret, at any depth."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items() if not sounds_secret(name)}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
