"""Route 53 against moto (corrected), Porkbun and dns-lexicon against doubles of Porkbun and Cloudflare, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.exceptions import ClientError
from lexicon._private.providers.cloudflare import Provider as LexiconsCloudflare
from moto import mock_aws
from moto.route53.responses import Route53 as MotoRoute53

from orchestrator import dns
from orchestrator.dns.model import Connection, Record
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import moto_route53 as correction
from orchestrator.local.dns import porkbun as double
from orchestrator.local.dns.registrar import RecordDraft, RefusedError, Registrar
from tests.conformance.dns.cloudflare import TOKEN, Cloudflare, Refused
from tests.conformance.dns.worlds import (
    SPEED,
    ZONE,
    Impossible,
    Porkbun,
    Seen,
    World,
    ask_at,
    change,
    connection,
    record_set,
    seen_of_route53,
    served,
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
        there = [one for one in found if one["Name"].rstrip(".").replace("\\052", "*") == name]
        ours = [one for one in there if one["Type"] not in {"NS", "SOA"} or name != ZONE]
        if ours:  # of the zone itself there may be no more than what every zone has
            change(aws, zone_id, "DELETE", ours)

    def add(record: Record) -> None:
        try:
            change(aws, zone_id, "CREATE", [record_set(record)])
        except ClientError:
            raise Impossible from None

    counted = Connection(made.environment, lambda _service: client, made.sleep, made.clock, made.region)
    return World(
        provider=dns.connect("route53", counted),
        connection=counted,
        write=lambda record: change(aws, zone_id, "UPSERT", [record_set(record)]),
        erase=erase,
        raw=lambda: sorted(map(str, aws.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"])),
        writes=lambda: len(sent),
        add=add,
        zone=lambda: seen_of_route53(aws.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]),
        carries='{"HealthCheckId": "11111111-2222-3333-4444-555555555555"}',
    )


@pytest.fixture
def listening(cloud: Cloud) -> Iterator[Porkbun]:
    porkbun = Porkbun(cloud, double.application(cloud))
    with served(porkbun.serve) as porkbun.url:
        yield porkbun


@pytest.fixture
def porkbun(listening: Porkbun) -> World:
    registrar = listening.cloud.shared(Registrar)
    registrar.register(ZONE)

    def erase(name: str) -> None:
        for record in registrar.records(ZONE):
            if record.name == name:
                registrar.delete(ZONE, record.id)

    def add(record: Record) -> None:
        if record.alias_zone or record.policy:
            raise Impossible
        label = record.name.removesuffix(ZONE).removesuffix(".")
        notes = json.loads(record.kept[0])["notes"] if record.kept else ""
        try:
            for value in record.values:
                registrar.create(ZONE, RecordDraft(label, record.type, value, record.ttl or 600, notes=notes))
        except RefusedError:
            raise Impossible from None

    def write(record: Record) -> None:
        erase(record.name)
        add(record)

    def zone() -> list[Seen]:
        return sorted(Seen(one.name, one.type, one.content, one.ttl, one.notes) for one in registrar.records(ZONE))

    erase(ZONE)  # a fresh domain is parked: its apex leads to the registrar's page
    made = connection(listening.environment())
    return World(
        provider=dns.connect("porkbun", made),
        connection=made,
        write=write,
        erase=erase,
        raw=lambda: sorted(str(replace(record, id="")) for record in registrar.records(ZONE)),
        writes=lambda: sum("/retrieve/" not in path for path, _status in listening.requests),
        add=add,
        zone=zone,
        carries='{"notes": "of the shop"}',
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


@pytest.fixture
def behind() -> Cloudflare:
    """What the world `cloudflare` runs on."""
    return Cloudflare(ZONE)


@pytest.fixture
def cloudflare(behind: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The bridge, over a provider whose records carry more than dns-lexicon shows."""
    made = connection({"LEXICON_CLOUDFLARE_AUTH_TOKEN": TOKEN})

    def erase(name: str) -> None:
        for key in [key for key, one in behind.held.items() if one["name"] == name]:
            del behind.held[key]

    def add(record: Record) -> None:
        if record.alias_zone or record.policy:
            raise Impossible
        others = json.loads(record.kept[0]) if record.kept else {}
        try:
            for value in record.values:
                behind.write({"name": record.name, "type": record.type, "content": value, "ttl": record.ttl, **others})
        except Refused:
            raise Impossible from None

    def write(record: Record) -> None:
        erase(record.name)
        add(record)

    def zone() -> list[Seen]:
        passing = {"name", "type", "content", "ttl", "id", "created_on", "modified_on"}
        return sorted(
            Seen(
                one["name"],
                one["type"],
                one["content"],
                one["ttl"],
                json.dumps({key: one[key] for key in sorted(one.keys() - passing)}),
            )
            for one in behind.held.values()
        )

    with served(behind.serve) as url:
        ask_at(monkeypatch, f"{url}/client/v4", LexiconsCloudflare)
        yield World(
            provider=dns.connect("lexicon:cloudflare", made),
            connection=made,
            write=write,
            erase=erase,
            raw=zone,
            writes=lambda: sum(method != "GET" for method, _path, _status in behind.requests),
            add=add,
            zone=zone,
            carries='{"comment": "of the shop", "proxied": true, "tags": ["team:web"]}',
        )


@pytest.fixture(params=["route53", "porkbun", "lexicon", "cloudflare"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    return made
