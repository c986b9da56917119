"""What can't be read in one tenant's database is that tenant's failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from orchestrator.database.inventory import inventory_of_each, rows_of
from orchestrator.database.model import WantedDatabase
from orchestrator.errors import Expired, OrchestratorError, Problem

WANTED = [WantedDatabase(name, name, name, f"arn:{name}") for name in ("a", "b", "c")]


class Reader:
    """Of one tenant nothing can be read."""

    def __init__(self, error: OrchestratorError) -> None:
        self.error = error

    def read(
        self, wanted: Sequence[WantedDatabase], generators: Sequence[str], *, at_once: int
    ) -> Mapping[str, Sequence[str]]:
        if "b" in [one.tenant for one in wanted]:
            raise self.error
        return {one.tenant: COUNTED if "counted" in generators[0] else LINES for one in wanted}


LINES = [
    '{"bytes": 7}',
    '{"table": "public.chat", "rows": 3, "digest": "1"}',
    '{"settings": "connector", "rows": [{"name": "x"}]}',
]
COUNTED = ['{"counted": "connector", "rows": 1}']


def server(error: OrchestratorError) -> Any:
    return Reader(error)


def test_the_others_are_read() -> None:
    seen = inventory_of_each(server(OrchestratorError(Problem("tenant-login-refused", "no", "b", "fix"))), WANTED)
    assert {name: found.rows for name, found in seen.results.items()} == {"a": 3, "c": 3}
    assert seen.failures["b"].problems[0].code == "tenant-login-refused"


def test_credentials_that_ended_are_nobodys() -> None:
    with pytest.raises(Expired):
        inventory_of_each(server(Expired(Problem("credentials-expired", "ended", "", "sign in"))), WANTED)


def test_rows_are_counted_where_they_can_be_read() -> None:
    refused = server(OrchestratorError(Problem("tenant-login-refused", "no", "b", "fix")))
    assert rows_of(refused, WANTED, "connector") == {"a": 1, "b": None, "c": 1}
    assert rows_of(refused, WANTED, "persona") == {"a": None, "b": None, "c": None}, "there is no such table"
    with pytest.raises(Expired):
        rows_of(server(Expired(Problem("credentials-expired", "ended", "", "sign in"))), WANTED, "connector")
