"""Route 53 against moto (corrected), Porkbun and dns-lexicon against the Porkbun double, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from moto import mock_aws
from moto.route53.responses import Route53 as MotoRoute53
from werkzeug.serving import make_server

from orchestrator import dns
from orchestrator.dns.model import Connection, Record
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import moto_route53 as correction
from orchestrator.local.dns import porkbun as double
from orchestrator.local.dns.registrar import RecordDraft, Registrar
from tests.conformance.dns.worlds import (
    SPEED,
    ZONE,
    Porkbun,
    Quiet,
    World,
    ask_at,
    change,
    connection,
    record_set,
    session,
)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(directory=tmp_path, pace=Pace(SPEED), ca=trustme.CA(), faults=Faults(), log=lambda _line: None)


@pytest.fixture
def aws(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto in this process, with the correction that makes it judge batches as AWS does; all undone afterwards."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("change_resource_record_sets", "get_change"):
        monkeypatch.setattr(MotoRoute53, name, getattr(MotoRoute53, name))
    correction.install(cloud)
    with mock_aws():
        yield session().client("route53")


@pytest.fixture
def route53(aws: Any) -> World:
    zone_id = aws.create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"]
    made = connection({})
    sent = []
    client = made.client("route53")
    client.meta.events.register("before-call.route53.ChangeResourceRecordSets", lambda **_: sent.append(1))

    def erase(name: str) -> None:
        found = aws.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        change(aws, zone_id, "DELETE", [one for one in found if one["Name"].rstrip(".") == name])

    counted = Connection(made.environment, lambda _service: client, made.sleep, made.clock, made.region)
    return World(
        provider=dns.connect("route53", counted),
        connection=counted,
        write=lambda record: change(aws, zone_id, "UPSERT", [record_set(record)]),
        erase=erase,
        raw=lambda: sorted(map(str, aws.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"])),
        writes=lambda: len(sent),
    )


@pytest.fixture
def listening(cloud: Cloud) -> Iterator[Porkbun]:
    porkbun = Porkbun(cloud, double.application(cloud))
    server = make_server("127.0.0.1", 0, porkbun.serve, threaded=True, request_handler=Quiet)
    porkbun.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield porkbun
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def porkbun(listening: Porkbun) -> World:
    registrar = listening.cloud.shared(Registrar)
    registrar.register(ZONE)

    def erase(name: str) -> None:
        for record in registrar.records(ZONE):
            if record.name == name:
                registrar.delete(ZONE, record.id)

    def write(record: Record) -> None:
        erase(record.name)
        label = record.name.removesuffix(ZONE).removesuffix(".")
        for value in record.values:
            registrar.create(ZONE, RecordDraft(label, record.type, value, record.ttl or 600))

    erase(ZONE)  # a fresh domain is parked: its apex leads to the registrar's page
    made = connection(listening.environment())
    return World(
        provider=dns.connect("porkbun", made),
        connection=made,
        write=write,
        erase=erase,
        raw=lambda: sorted(str(replace(record, id="")) for record in registrar.records(ZONE)),
        writes=lambda: sum("/retrieve/" not in path for path, _status in listening.requests),
    )


@pytest.fixture
def lexicon(porkbun: World, listening: Porkbun, monkeypatch: pytest.MonkeyPatch) -> World:
    """The bridge, over a provider with one request a second and 503 for more."""
    ask_at(monkeypatch, f"{listening.url}/_porkbun/api/json/v3")
    keys = {
        "LEXICON_PORKBUN_AUTH_KEY": listening.cloud.porkbun_key,
        "LEXICON_PORKBUN_AUTH_SECRET": listening.cloud.porkbun_secret,
    }
    made = connection(keys)
    reading = ("/retrieve/", "/ping")
    return replace(
        porkbun,
        provider=dns.connect("lexicon:porkbun", made),
        connection=made,
        writes=lambda: sum(not any(one in path for one in reading) for path, _status in listening.requests),
    )


@pytest.fixture(params=["route53", "porkbun", "lexicon"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    return made
