"""The provider shown in docs/how-to/write-a-dns-provider.md is a provider."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.dns import model, undo
from orchestrator.dns.history import HistoryEntry
from orchestrator.dns.model import Connection, DnsProvider, Record, ZonePlan
from orchestrator.errors import Invalid, Refused

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-dns-provider.md"
OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
ZONE = "example.com"


@pytest.fixture
def provider(tmp_path: Path) -> DnsProvider:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    names: dict[str, Any] = {"__name__": "zonefiles"}
    exec(compile(found[1], str(PAGE), "exec"), names)  # the page's code is what is tested
    (tmp_path / f"{ZONE}.json").write_text("[]")

    def nobody(_asked: object) -> None:
        raise AssertionError

    made: DnsProvider = names["connect"](Connection({"ZONE_FOLDER": str(tmp_path)}, nobody, nobody, lambda: 0.0))
    return made


def plan(provider: DnsProvider, *names: str, target: str = NEW, adopt: bool = False) -> ZonePlan:
    wanted = [
        model.pointer(name, target, zone=ZONE, ttl=300, apex=provider.apex, minimum_ttl=60, target_zone="")
        for name in names
    ]
    return model.plan(ZONE, provider.records(ZONE), wanted, model.former_names(target), adopt=adopt)


def test_it_creates_updates_refuses_and_undoes(provider: DnsProvider) -> None:
    provider.check(ZONE)
    assert provider.zones() == {ZONE}
    provider.submit(ZONE, plan(provider, ZONE, "demo.example.com", target=OLD))
    made = plan(provider, ZONE, "demo.example.com")
    assert provider.settled(provider.submit(ZONE, made))
    assert plan(provider, ZONE, "demo.example.com").changes == ()
    assert {(record.type, record.values) for record in provider.records(ZONE)} == {("ALIAS", (NEW,)), ("CNAME", (NEW,))}

    entries = [HistoryEntry("1", "", "onyx-prod", provider.name, ZONE, change) for change in made.changes]
    back = [undo.restoration(entry, provider.records(ZONE)).change for entry in entries]
    provider.submit(ZONE, ZonePlan(ZONE, tuple(change for change in back if change)))
    assert {record.values for record in provider.records(ZONE)} == {(OLD,)}


def test_it_refuses_what_is_somebody_elses(provider: DnsProvider) -> None:
    theirs = Record("demo.example.com", "A", ("192.0.2.1",), 60)
    provider.submit(ZONE, ZonePlan(ZONE, (model.Change(theirs.name, (), (theirs,)),)))
    with pytest.raises(Refused):
        provider.submit(ZONE, plan(provider, "demo.example.com"))
    assert provider.records(ZONE) == {theirs}
    with pytest.raises(Invalid):
        provider.check("other.example")
