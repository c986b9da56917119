"""What is read in the tenants' databases, over both ways."""

from __future__ import annotations

import pytest

from orchestrator.database.inventory import inventories, rows_of, sizes
from orchestrator.database.server import Server
from orchestrator.errors import OrchestratorError
from tests.conformance.place import Place, as_tenant

pytestmark = pytest.mark.cloud
CONTENTS = """
CREATE TABLE "chat" (t int, said text, at timestamptz DEFAULT '2026-01-01 12:00+02');
CREATE TABLE key_value_store (key text, value jsonb, encrypted_value bytea);
CREATE TABLE llm_provider (name text, provider text, api_key text);
INSERT INTO key_value_store VALUES ('settings', '{"maximum_chat_retention_days": 7, "smtp_password": "hidden-1"}'),
  ('slack_api_token', '"hidden-2"');
INSERT INTO llm_provider VALUES ('main', 'openai', 'hidden-3');
"""


def test_contents_are_read_as_figures_and_settings_without_secrets(place: Place, server: Server, way: str) -> None:
    one, other = place.wanted(f"{way}_read"), place.wanted(f"{way}_empty")
    server.ensure([one, other])

    rows = [(n, f"said {n}") for n in range(50)]
    with as_tenant(place, one) as mine:
        mine.execute(CONTENTS)
        mine.cursor().executemany("INSERT INTO chat VALUES (%s, %s)", rows)
    first = inventories(server, [one, other])
    assert first[one.tenant].tables["public.chat"].rows == 50
    assert (first[one.tenant].rows, first[other.tenant].rows) == (53, 0)
    assert first[one.tenant].settings["key_value_store"] == [
        {"key": "settings", "value": {"maximum_chat_retention_days": 7}}
    ]
    assert first[one.tenant].settings["llm_provider"] == [{"name": "main", "provider": "openai"}]
    assert "hidden" not in str(first)
    assert sizes(server, [one])[one.tenant].bytes > 1_000_000

    with as_tenant(place, one) as mine:
        mine.execute("TRUNCATE chat")
        mine.cursor().executemany("INSERT INTO chat VALUES (%s, %s)", reversed(rows))
    assert inventories(server, [one])[one.tenant].tables == first[one.tenant].tables, "the order of rows doesn't matter"
    with as_tenant(place, one) as mine:
        mine.execute("UPDATE chat SET said = 'changed' WHERE t = 7")
    changed = inventories(server, [one])[one.tenant].tables["public.chat"]
    assert (changed.rows, changed.digest != first[one.tenant].tables["public.chat"].digest) == (50, True)


def test_a_database_that_is_not_there_cannot_be_read(place: Place, server: Server, way: str) -> None:
    with pytest.raises(OrchestratorError):
        sizes(server, [place.wanted(f"{way}_nowhere")])


def test_rows_are_counted_as_the_tenant(place: Place, server: Server, way: str) -> None:
    filled, empty, absent = (place.wanted(f"{way}_{name}") for name in ("counted", "counted_empty", "counted_absent"))
    server.ensure([filled, empty])
    for one, rows in ((filled, 2), (empty, 0)):
        with as_tenant(place, one) as session:
            session.execute("CREATE TABLE embedding_provider (provider_type text)")
            session.execute("INSERT INTO embedding_provider SELECT n::text FROM generate_series(1, %s) AS n", (rows,))
    counts = rows_of(server, [filled, empty, absent], "embedding_provider")
    assert counts == {filled.tenant: 2, empty.tenant: 0, absent.tenant: None}
    assert rows_of(server, [filled], "connector") == {filled.tenant: None}, "there is no such table"
