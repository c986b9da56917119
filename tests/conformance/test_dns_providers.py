"""Every DNS provider does the same: Route 53 against moto (corrected), Porkbun against its double, over real HTTP."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
import urllib3
from botocore.exceptions import ClientError
from lexicon._private.providers.porkbun import Provider as LexiconsPorkbun
from moto import mock_aws
from moto.route53.responses import Route53 as MotoRoute53
from werkzeug.serving import WSGIRequestHandler, make_server

from orchestrator import dns
from orchestrator.dns import model, undo
from orchestrator.dns.history import Entry
from orchestrator.dns.model import Connection, DnsProvider, Plan, Record
from orchestrator.errors import Invalid, OrchestratorError, Refused, Transient
from orchestrator.local import porkbun as double
from orchestrator.local.cloud import Cloud
from orchestrator.local.corrections import route53 as correction
from orchestrator.local.faults import Faults
from orchestrator.local.pace import Pace
from orchestrator.local.registrar import Draft

ZONE = "vigilon.app"
OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
LB_ZONE = "Z1H1FL5HABSF5"
SPEED = 200.0
"""Both sides live this much faster: a second of pacing is 5 ms, and so is the double's second."""


@dataclass
class World:
    """One provider, a way to write records past it, and what was asked of it."""

    provider: DnsProvider
    connection: Connection
    write: Callable[[Record], None]
    erase: Callable[[str], None]
    raw: Callable[[], Any]
    """The zone as its host shows it, without the host's own counting."""
    writes: Callable[[], int]
    """How many changing requests the provider has sent."""

    def plan(self, *hostnames: str, target: str = NEW, adopt: bool = False) -> Plan:
        pointers = [
            model.pointer(
                name,
                target,
                zone=ZONE,
                ttl=700,
                apex=self.provider.apex,
                minimum_ttl=self.provider.minimum_ttl,
                target_zone=LB_ZONE,
            )
            for name in hostnames
        ]
        return model.plan(ZONE, self.provider.records(ZONE), pointers, model.former_names(target), adopt=adopt)

    def bring(self, *hostnames: str, target: str = NEW) -> None:
        ticket = self.provider.submit(ZONE, self.plan(*hostnames, target=target))
        while not self.provider.settled(ticket):
            self.connection.sleep(1)

    def adopt(self, *hostnames: str) -> Plan:
        """What a run with `--adopt` does; gives the plan."""
        plan = self.plan(*hostnames, adopt=True)
        self.provider.submit(ZONE, plan)
        return plan

    def undo(self, plan: Plan) -> None:
        entries = [Entry("1", "then", "onyx-prod", self.provider.name, ZONE, change) for change in plan.changes]
        back = [undo.restoration(entry, self.provider.records(ZONE)) for entry in entries]
        assert not any(one.problem for one in back)
        changes = tuple(one.change for one in back if one.change)
        self.provider.submit(ZONE, Plan(ZONE, changes))

    def at(self, name: str) -> list[Record]:
        return sorted((record for record in self.provider.records(ZONE) if record.name == name), key=str)

    def pointer_at(self, name: str) -> Record:
        [record] = [found for found in self.at(name) if found.type in model.ADDRESS_TYPES]
        return record


@functools.cache
def session() -> Any:
    """One for all tests: making one reads hundreds of service descriptions."""
    return boto3.Session("testing", "testing", region_name="us-west-2")


def connection(environment: dict[str, str]) -> Connection:
    return Connection(
        environment=environment,
        client=session().client,
        sleep=lambda seconds: time.sleep(seconds / SPEED),
        clock=lambda: time.monotonic() * SPEED,
        region="us-west-2",
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


def record_set(record: Record) -> dict[str, Any]:
    if record.alias_zone:
        target = {"HostedZoneId": record.alias_zone, "DNSName": record.values[0], "EvaluateTargetHealth": True}
        return {"Name": record.name, "Type": record.type, "AliasTarget": target}
    values = [{"Value": value} for value in record.values]
    return {"Name": record.name, "Type": record.type, "TTL": record.ttl, "ResourceRecords": values}


def change(aws: Any, zone_id: str, action: str, sets: Iterable[dict[str, Any]]) -> None:
    changes = [{"Action": action, "ResourceRecordSet": one} for one in sets]
    aws.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


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


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Porkbun:
    """The double, listening, and what it was asked: path and status."""

    cloud: Cloud
    application: Any
    url: str = ""
    requests: list[tuple[str, int]] = field(default_factory=list)

    def serve(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        def started(status: str, headers: Any, exc_info: Any = None) -> Any:
            self.requests.append((environ["PATH_INFO"], int(status.split(maxsplit=1)[0])))
            return start_response(status, headers, exc_info)

        answer: Iterable[bytes] = self.application(environ, started)
        return answer

    def drain(self) -> None:
        """Somebody else uses up the account's requests."""
        while urllib3.request("POST", f"{self.url}/_porkbun/api/json/v3/ping", retries=False).status != 503:
            pass

    def environment(self) -> dict[str, str]:
        return {
            "ORCHESTRATE_PORKBUN_URL": f"{self.url}/_porkbun/api/json/v3",
            "PORKBUN_API_KEY": self.cloud.porkbun_key,
            "PORKBUN_SECRET_API_KEY": self.cloud.porkbun_secret,
        }


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
    registrar = listening.cloud.registrar
    registrar.register(ZONE)

    def erase(name: str) -> None:
        for record in registrar.records(ZONE):
            if record.name == name:
                registrar.delete(ZONE, record.id)

    def write(record: Record) -> None:
        erase(record.name)
        label = record.name.removesuffix(ZONE).removesuffix(".")
        for value in record.values:
            registrar.create(ZONE, Draft(label, record.type, value, record.ttl or 600))

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


def ask_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """dns-lexicon's own Porkbun provider, but for the address, which can't be configured."""
    make: Any = LexiconsPorkbun.__init__

    def made(self: Any, config: Any) -> None:
        make(self, config)
        self.api_endpoint = url

    monkeypatch.setattr(LexiconsPorkbun, "__init__", made)


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


def test_the_name_is_the_entry_points(world: World) -> None:
    assert world.provider.name in (*dns.known(), "lexicon:porkbun")
    world.provider.check(ZONE)


def test_create_then_nothing_more_is_sent(world: World) -> None:
    world.bring("demo.vigilon.app")
    created = world.pointer_at("demo.vigilon.app")
    assert (created.type, created.values, created.ttl) == ("CNAME", (NEW,), 700)
    sent = world.writes()
    again = world.plan("demo.vigilon.app")
    assert again.changes == ()
    assert world.provider.settled(world.provider.submit(ZONE, again))
    assert world.writes() == sent


def test_update_keeps_ttl_and_every_other_record(world: World) -> None:
    world.write(Record("demo.vigilon.app", "CNAME", (OLD,), 900))
    world.write(Record("mail.vigilon.app", "MX", ("10 mail.example.com",), 900))
    others = {record for record in world.provider.records(ZONE) if record.name != "demo.vigilon.app"}
    world.bring("demo.vigilon.app")
    updated = world.pointer_at("demo.vigilon.app")
    assert (updated.type, updated.values, updated.ttl) == ("CNAME", (NEW,), 900)
    assert {record for record in world.provider.records(ZONE) if record.name != "demo.vigilon.app"} == others


def test_there_and_back_again(world: World) -> None:
    for target in (OLD, NEW, OLD):
        world.bring("demo.vigilon.app", target=target)
        assert world.pointer_at("demo.vigilon.app").points_to(target)


def test_the_apex_leads_there_beside_its_other_records(world: World) -> None:
    before = world.at(ZONE)
    world.bring(ZONE, target=OLD)
    world.bring(ZONE)
    pointer = world.pointer_at(ZONE)
    assert pointer.type == world.provider.apex
    assert pointer.points_to(NEW)
    assert [record for record in world.at(ZONE) if record != pointer] == before
    assert world.plan(ZONE).changes == ()


def test_a_change_of_type(world: World) -> None:
    other = {"route53": Record("demo.vigilon.app", "A", (OLD,), None, alias_zone=LB_ZONE)}
    world.write(other.get(world.provider.name, Record("demo.vigilon.app", "ALIAS", (OLD,), 600)))
    world.bring("demo.vigilon.app")
    [record] = world.at("demo.vigilon.app")
    assert (record.type, record.values) == ("CNAME", (NEW,))


def test_a_foreign_record_is_refused_and_stays(world: World) -> None:
    world.write(Record("demo.vigilon.app", "CNAME", ("somebody.example.com",), 900))
    plan = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    sent = world.writes()
    with pytest.raises(Refused, match=r"somebody\.example\.com"):
        world.provider.submit(ZONE, plan)
    assert world.writes() == sent
    assert world.pointer_at("demo.vigilon.app").values == ("somebody.example.com",)


@pytest.mark.parametrize("name", ["demo.vigilon.app", ZONE])
@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(None, id="nothing"),
        pytest.param(("CNAME", ("shop.example.com",), 1234), id="a CNAME"),
        pytest.param(("A", ("192.0.2.1", "192.0.2.2"), 1234), id="two addresses"),
        pytest.param(("CNAME", (OLD,), 1234), id="an old name of ours"),
    ],
)
def test_adopted_and_undone_the_zone_is_what_it_was(
    world: World, name: str, theirs: tuple[str, tuple[str, ...], int] | None
) -> None:
    if theirs:
        kind, values, ttl = theirs
        at_apex = name == ZONE and kind == "CNAME"
        apex = {"A": Record(name, "A", values, None, alias_zone=LB_ZONE), "ALIAS": Record(name, "ALIAS", values, ttl)}
        world.write(apex[world.provider.apex] if at_apex else Record(name, kind, values, ttl))
    before = world.raw()
    plan = world.adopt(name)
    assert world.pointer_at(name).points_to(NEW)
    assert world.raw() != before
    assert len(plan.changes) == 1
    world.undo(plan)
    assert world.raw() == before


def test_what_is_no_address_is_never_adopted(world: World) -> None:
    world.write(Record("demo.vigilon.app", "TXT", ('"v=spf1 -all"',), 600))
    before = world.raw()
    with pytest.raises(Refused):
        world.adopt("demo.vigilon.app")
    assert world.raw() == before


def test_the_zones_are_those_of_the_credentials(world: World) -> None:
    assert (ZONE in world.provider.zones()) is (world.provider.name != "lexicon:porkbun"), "dns-lexicon knows no list"
    assert "not-ours.example" not in world.provider.zones()


def test_many_records_in_one_plan(world: World) -> None:
    hostnames = [f"customer-{number}.vigilon.app" for number in range(150)]
    world.bring(*hostnames[:75], target=OLD)
    world.bring(*hostnames)
    found = {record.name: record for record in world.provider.records(ZONE)}
    assert all(found[name].points_to(NEW) for name in hostnames)
    assert world.plan(*hostnames).changes == ()


def test_a_record_that_went_meanwhile_is_seen_by_the_next_plan(world: World) -> None:
    world.bring("demo.vigilon.app", target=OLD)
    stale = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    world.erase("demo.vigilon.app")
    with pytest.raises(OrchestratorError):
        world.provider.submit(ZONE, stale)
    world.bring("demo.vigilon.app", "customer-b.vigilon.app")
    assert world.pointer_at("demo.vigilon.app").points_to(NEW)
    assert world.pointer_at("customer-b.vigilon.app").points_to(NEW)


def test_a_zone_that_is_not_there(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        world.provider.check("not-ours.example")
    # dns-lexicon's providers say the same of a wrong key and a wrong zone.
    expected = "dns-credentials-rejected" if world.provider.name == "lexicon:porkbun" else "dns-zone-not-found"
    assert [problem.code for problem in refusal.value.problems] == [expected]
    assert "not-ours.example" in str(refusal.value)


def test_a_plan_that_is_sent_twice_after_a_crash_does_no_harm(world: World) -> None:
    """Killed after some changes: the next run plans anew from what is there."""
    hostnames = [f"{letter}.vigilon.app" for letter in "abcd"]
    world.bring(*hostnames, target=OLD)
    half = replace(plan := world.plan(*hostnames), changes=plan.changes[:2])
    world.provider.submit(ZONE, half)
    rest = world.plan(*hostnames)
    assert {change.name for change in rest.changes} == {change.name for change in plan.changes[2:]}
    world.provider.submit(ZONE, rest)
    assert all(world.pointer_at(name).points_to(NEW) for name in hostnames)
    assert world.plan(*hostnames).changes == ()


def test_one_value_that_somebody_changed_in_between_loses_none_of_the_others(world: World) -> None:
    world.bring("demo.vigilon.app", "customer-b.vigilon.app", target=OLD)
    stale = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    world.erase("demo.vigilon.app")
    with contextlib.suppress(OrchestratorError):
        world.provider.submit(ZONE, stale)
    world.bring("demo.vigilon.app", "customer-b.vigilon.app")
    assert world.pointer_at("customer-b.vigilon.app").points_to(NEW)
    assert world.pointer_at("demo.vigilon.app").points_to(NEW)


def test_lexicon_wrong_keys_are_named_but_not_shown(
    lexicon: World, listening: Porkbun, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"LEXICON_PORKBUN_AUTH_KEY": "pk1_canary", "LEXICON_PORKBUN_AUTH_SECRET": listening.cloud.porkbun_secret}
    provider = dns.connect("lexicon:porkbun", connection(keys))
    with pytest.raises(Invalid) as refusal:
        provider.check(ZONE)
    assert [problem.code for problem in refusal.value.problems] == ["dns-credentials-rejected"]
    shown = f"{refusal.value!r} {refusal.value} {provider!r}"
    assert "pk1_canary" not in shown
    assert listening.cloud.porkbun_secret not in shown
    assert "LEXICON_PORKBUN_" in refusal.value.problems[0].fix


def test_lexicon_says_no_key_that_stands_in_an_error(lexicon: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its providers write their keys into addresses, and those into their errors."""

    def authenticate(self: Any) -> None:
        raise RuntimeError(f"GET https://api.example.com/?key={self._api_key} failed: bad key {self._api_key}")

    monkeypatch.setattr(LexiconsPorkbun, "authenticate", authenticate)
    provider = dns.connect("lexicon:porkbun", connection({"LEXICON_PORKBUN_AUTH_KEY": "pk1_canary"}))
    with pytest.raises(Invalid, match=r"bad key \*\*\*") as refusal:
        provider.check(ZONE)
    assert "canary" not in str(refusal.value)


def test_lexicon_that_is_not_there_is_transient(lexicon: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(Transient):
        lexicon.provider.check(ZONE)


def test_lexicon_has_no_such_provider() -> None:
    with pytest.raises(Invalid, match="no provider 'nobody'") as refusal:
        dns.connect("lexicon:nobody", connection({}))
    assert [problem.code for problem in refusal.value.problems] == ["dns-provider-unknown"]


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lexicon._private.discovery", None)
    with pytest.raises(Invalid, match=r"onyx-orchestrator\[lexicon\]") as refusal:
        dns.connect("lexicon:cloudflare", connection({}))
    assert [problem.code for problem in refusal.value.problems] == ["dns-lexicon-missing"]


def test_route53_many_changes_are_few_batches(route53: World) -> None:
    hostnames = [f"customer-{number}.vigilon.app" for number in range(600)]
    route53.bring(*hostnames, target=OLD)
    assert route53.writes() == 1
    route53.bring(*hostnames)
    assert route53.writes() == 3, "1200 actions are two batches"


def test_route53_is_pending_before_it_settles(route53: World, cloud: Cloud) -> None:
    slow = Pace(0.001)
    cloud.changes._pace = slow
    ticket = route53.provider.submit(ZONE, route53.plan("demo.vigilon.app"))
    assert not route53.provider.settled(ticket)
    slow.speed = 1e9
    late = route53.provider.submit(ZONE, route53.plan("customer-b.vigilon.app"))
    while not route53.provider.settled(late):
        route53.connection.sleep(1)
    assert not route53.provider.settled(f"{late} {ticket}"), "all changes of a ticket have to be there"


def test_route53_refuses_a_batch_when_a_value_changed_meanwhile(route53: World) -> None:
    route53.bring("demo.vigilon.app", target=OLD)
    stale = route53.plan("demo.vigilon.app")
    route53.write(Record("demo.vigilon.app", "CNAME", ("somebody.example.com",), 700))
    with pytest.raises(Transient) as passing:
        route53.provider.submit(ZONE, stale)
    assert [problem.code for problem in passing.value.problems] == ["dns-records-changed"]
    assert route53.pointer_at("demo.vigilon.app").values == ("somebody.example.com",)


def test_route53_takes_the_longest_public_zone(aws: Any, route53: World) -> None:
    vpc = {"VPCRegion": "us-west-2", "VPCId": "vpc-1"}
    aws.create_hosted_zone(Name="eu.vigilon.app", CallerReference="2", VPC=vpc, HostedZoneConfig={"PrivateZone": True})
    longest = aws.create_hosted_zone(Name="eu.vigilon.app", CallerReference="3")["HostedZone"]["Id"]
    change(aws, longest, "CREATE", [record_set(Record("demo.eu.vigilon.app", "CNAME", (OLD,), 60))])
    found = route53.provider.records("demo.eu.vigilon.app")
    assert Record("demo.eu.vigilon.app", "CNAME", (OLD,), 60) in found
    assert route53.provider.records("us.vigilon.app") == route53.provider.records(ZONE)


def test_route53_does_not_choose_between_two_zones_of_one_name(aws: Any, route53: World) -> None:
    aws.create_hosted_zone(Name=ZONE, CallerReference="2")
    with pytest.raises(Invalid) as refusal:
        route53.provider.check(ZONE)
    assert [problem.code for problem in refusal.value.problems] == ["dns-zone-ambiguous"]


def test_route53_names_with_stars_are_read(route53: World) -> None:
    route53.write(Record(r"\052.vigilon.app", "CNAME", (OLD,), 60))
    assert route53.pointer_at("*.vigilon.app").values == (OLD,)


def test_route53_without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    made = connection({})
    nobody: Any = boto3.Session(region_name="us-west-2")
    provider = dns.connect("route53", Connection({}, nobody.client, made.sleep, made.clock))
    with pytest.raises(Invalid) as refusal:
        provider.check(ZONE)
    assert [problem.code for problem in refusal.value.problems] == ["dns-credentials-missing"]


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        ("InvalidClientTokenId", Invalid, "dns-credentials-rejected"),
        ("ExpiredToken", Invalid, "dns-credentials-rejected"),
        ("AccessDenied", OrchestratorError, "access-denied"),
        ("Throttling", Transient, "dns-provider-unavailable"),
        ("PriorRequestNotComplete", Transient, "dns-provider-unavailable"),
        ("InternalFailure", OrchestratorError, "dns-provider-failed"),
    ],
)
def test_route53_errors_are_problems(aws: Any, code: str, kind: type[OrchestratorError], problem: str) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "ListHostedZonesByName")

    made = connection({})
    client = made.client("route53")
    client.meta.events.register("before-call.route53", fail)
    provider = dns.connect("route53", Connection({}, lambda _service: client, made.sleep, made.clock))
    with pytest.raises(kind) as raised:
        provider.check(ZONE)
    assert type(raised.value) is kind
    assert [found.code for found in raised.value.problems] == [problem]


def test_porkbun_is_never_throttled_when_paced(porkbun: World, listening: Porkbun) -> None:
    porkbun.bring(*[f"customer-{number}.vigilon.app" for number in range(300)])
    assert {status for _path, status in listening.requests} == {200}


def test_porkbun_survives_throttling(porkbun: World, listening: Porkbun) -> None:
    impatient = connection(listening.environment())
    provider = dns.connect("porkbun", Connection(impatient.environment, impatient.client, impatient.sleep, lambda: 0.0))
    plan = porkbun.plan(*[f"customer-{number}.vigilon.app" for number in range(20)])
    listening.drain()
    provider.submit(ZONE, plan)
    assert 503 in {status for _path, status in listening.requests}
    found = {record.name for record in porkbun.provider.records(ZONE)}
    assert {change.name for change in plan.changes} <= found


def test_porkbun_throttled_for_ever_is_transient(listening: Porkbun) -> None:
    listening.application = double.application(replace(listening.cloud, pace=Pace(1e-9)))
    listening.drain()
    asked = len(listening.requests)
    waits: list[float] = []
    made = connection(listening.environment())
    provider = dns.connect("porkbun", Connection(made.environment, made.client, waits.append, lambda: 0.0))
    with pytest.raises(Transient) as passing:
        provider.records(ZONE)
    assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]
    assert {status for _path, status in listening.requests[asked:]} == {503}
    assert len(listening.requests[asked:]) > 3
    assert max(waits) >= 4, "longer than the pacing"


def test_porkbun_an_edit_error_of_an_edit_that_worked(porkbun: World, listening: Porkbun) -> None:
    porkbun.bring("demo.vigilon.app", target=OLD)
    listening.cloud.faults.switch_on("porkbun-edit-error")
    porkbun.bring("demo.vigilon.app")
    assert porkbun.pointer_at("demo.vigilon.app").points_to(NEW)


def test_porkbun_one_refused_change_stops_no_other(porkbun: World) -> None:
    plan = porkbun.plan("a.vigilon.app", "b.vigilon.app", "c.vigilon.app")
    porkbun.write(Record("b.vigilon.app", "TXT", ("in the way",), 600))
    with pytest.raises(OrchestratorError) as failure:
        porkbun.provider.submit(ZONE, plan)
    assert [problem.code for problem in failure.value.problems] == ["dns-change-failed"]
    assert porkbun.pointer_at("a.vigilon.app").points_to(NEW)
    assert porkbun.pointer_at("c.vigilon.app").points_to(NEW)
    again = porkbun.plan("a.vigilon.app", "b.vigilon.app", "c.vigilon.app")
    assert again.changes == ()
    assert [conflict.wanted.name for conflict in again.conflicts] == ["b.vigilon.app"]


@pytest.mark.parametrize(("first", "edits"), [(OLD, 1), (NEW, 0)])
def test_porkbun_two_values_become_one(porkbun: World, listening: Porkbun, first: str, edits: int) -> None:
    """Two CNAMEs at one name: what a failed upsert of another tool leaves behind."""
    registrar = listening.cloud.registrar
    porkbun.bring("demo.vigilon.app", target=first)
    [held] = [record for record in registrar.records(ZONE) if record.name == "demo.vigilon.app"]
    other = "onyx-prod-alb-7.us-west-2.elb.amazonaws.com"
    registrar._domains[ZONE].records["1"] = type(held)("1", held.name, held.type, other, held.ttl)
    porkbun.bring("demo.vigilon.app")
    assert porkbun.pointer_at("demo.vigilon.app").values == (NEW,)
    assert sum("/edit/" in path for path, _status in listening.requests) == edits
    assert {status for _path, status in listening.requests} == {200}


@pytest.mark.parametrize("fault", ["", "porkbun-error-200"])
@pytest.mark.parametrize("spoilt", ["PORKBUN_API_KEY", "PORKBUN_SECRET_API_KEY"])
def test_porkbun_wrong_keys_are_named_but_not_shown(listening: Porkbun, fault: str, spoilt: str) -> None:
    if fault:
        listening.cloud.faults.switch_on(fault)
    environment = listening.environment() | {spoilt: "sk1_canary"}
    made = connection(environment)
    provider = dns.connect("porkbun", made)
    with pytest.raises(Invalid) as refusal:
        provider.check(ZONE)
    [problem] = refusal.value.problems
    assert problem.code == "dns-credentials-rejected"
    shown = f"{refusal.value!r} {refusal.value} {provider!r} {made!r} {vars(provider)}"
    assert "sk1_canary" not in shown
    assert listening.cloud.porkbun_key not in shown


def test_porkbun_missing_keys_are_all_named(listening: Porkbun) -> None:
    nobody = dns.connect("porkbun", connection({"ORCHESTRATE_PORKBUN_URL": listening.url}))
    with pytest.raises(Invalid, match="PORKBUN_API_KEY and PORKBUN_SECRET_API_KEY") as refusal:
        nobody.check(ZONE)
    assert listening.requests == []
    assert [problem.code for problem in refusal.value.problems] == ["dns-credentials-missing"]


def test_porkbun_a_domain_without_api_access(listening: Porkbun) -> None:
    listening.cloud.registrar.register("closed.example", opted_in=False)
    provider = dns.connect("porkbun", connection(listening.environment()))
    with pytest.raises(Invalid, match="opted in") as refusal:
        provider.check("closed.example")
    assert "API ACCESS" in refusal.value.problems[0].fix


def test_porkbun_that_is_not_there_is_transient() -> None:
    environment = {
        "ORCHESTRATE_PORKBUN_URL": "http://127.0.0.1:9",
        "PORKBUN_API_KEY": "a",
        "PORKBUN_SECRET_API_KEY": "b",
    }
    with pytest.raises(Transient) as passing:
        dns.connect("porkbun", connection(environment)).check(ZONE)
    assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]


def test_an_address_that_is_no_api(listening: Porkbun) -> None:
    environment = listening.environment() | {"ORCHESTRATE_PORKBUN_URL": f"{listening.url}/elsewhere"}
    with pytest.raises(OrchestratorError) as failure:
        dns.connect("porkbun", connection(environment)).check(ZONE)
    [problem] = failure.value.problems
    assert problem.code == "dns-provider-failed"
    assert "ORCHESTRATE_PORKBUN_URL" in problem.fix


def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(Invalid) as refusal:
        dns.connect("bind", connection({}))
    [problem] = refusal.value.problems
    assert problem.code == "dns-provider-unknown"
    assert "porkbun, route53" in problem.fix
