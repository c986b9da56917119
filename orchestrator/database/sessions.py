"""Who is connected to the database server: sessions by database, user and program. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.database.model import WantedDatabase

OURS = "orchestrate"
"""What our own sessions call themselves."""
RDS_USER = "rdsadmin"
"""RDS itself."""
QUERY = (
    "SELECT json_build_object('databases', '{}'::json, 'roles', '[]'::json, 'open', '[]'::json, 'sessions', "
    "(SELECT coalesce(json_agg(one), '[]') FROM (SELECT datname AS database, usename AS user, "
    "coalesce(application_name, '') AS program, coalesce(host(client_addr), '') AS address, count(*) AS number "
    "FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname IS NOT NULL "
    "AND pid <> pg_backend_pid() GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4) one))"
)
"""One JSON object, in the form of every look at the catalogue."""


@dataclass(frozen=True, slots=True)
class Session:
    """Sessions that are alike. Program and address are as the client says them, or empty."""

    database: str
    user: str
    program: str = ""
    address: str = ""
    number: int = 1

    def __str__(self) -> str:
        said = " ".join(filter(None, (self.program, f"from {self.address}" if self.address else "")))
        return f"{self.number} sessions of {self.user} in database {self.database}{f' ({said})' if said else ''}"


def parsed(said: Iterable[Mapping[str, Any]]) -> tuple[Session, ...]:
    """From the JSON."""
    return tuple(
        Session(one["database"], one["user"] or "", one["program"], one["address"], one["number"]) for one in said
    )


def strangers(found: Iterable[Session], wanted: Sequence[WantedDatabase]) -> tuple[Session, ...]:
    """Sessions in databases that are no tenant's of this stack."""
    ours = {one.database for one in wanted}
    return tuple(
        one for one in found if one.database not in ours and one.program != OURS and one.user not in ("", RDS_USER)
    )
