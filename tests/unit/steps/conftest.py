from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from orchestrator.dns.history import FILE, History
from orchestrator.dns.resolve import AskServers, DnsServer
from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import nameserver
from orchestrator.local.dns.zone import ZoneBook
from orchestrator.steps.dns_records import RecordRules
from tests.unit.steps.hosted import NEW, ZONE, Context, Hosted, stack


@pytest.fixture
def hosted() -> Hosted:
    return Hosted()


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(directory=tmp_path, pace=Pace(100), ca=trustme.CA(), faults=Faults(), log=lambda _line: None)


@pytest.fixture
def context(tmp_path: Path, hosted: Hosted, cloud: Cloud) -> Iterator[Context]:
    cloud.shared(ZoneBook).add(hosted.served)
    cloud.addresses.publish(NEW, Address("127.0.0.9", 443))
    stop = nameserver.start(cloud)
    dns = {"provider": "hosted", "zone": ZONE, "ttl": 300}
    made = stack(dns, **{"customer-a": "demo.example.org", "customer-b": "b.example.org"})
    rules = RecordRules(
        History(tmp_path / ".orchestrate" / FILE, "onyx-prod", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    )
    yield Context(made, {"hosted": hosted}, rules, AskServers((DnsServer.parse(cloud.resolver),)))
    stop()
