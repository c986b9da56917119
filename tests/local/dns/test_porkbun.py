"""The Porkbun double over a real HTTP server, with the habits its users report."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
from werkzeug.serving import make_server

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import porkbun
from orchestrator.local.dns.registrar import HostedRecord, RecordDraft, Registrar, refused
from orchestrator.local.faults import catalogue

ALB = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
Call = Callable[..., tuple[int, dict[str, Any]]]


def make_cloud(folder: Path, speed: float) -> Cloud:
    return Cloud(folder, Pace(speed), trustme.CA(key_type=trustme.KeyType.ECDSA), Faults(), lambda _line: None)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return make_cloud(tmp_path, 100_000)


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, porkbun.application(cloud), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/_porkbun/api/json/v3"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def call(cloud: Cloud, url: str) -> Call:
    def post(path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        keys = {"apikey": cloud.porkbun_key, "secretapikey": cloud.porkbun_secret}
        answer = urllib3.request("POST", url + path, json=keys | body, retries=False, timeout=10)
        return answer.status, answer.json()

    return post


def error(message: str) -> dict[str, str]:
    return {"status": "ERROR", "message": message}


def records(call: Call, domain: str = "vigilon.app") -> list[dict[str, str]]:
    status, answer = call(f"/dns/retrieve/{domain}")
    assert (status, answer["status"]) == (200, "SUCCESS")
    listed: list[dict[str, str]] = answer["records"]
    return listed


def test_ping_needs_the_right_keys(call: Call) -> None:
    assert call("/ping") == (200, {"status": "SUCCESS", "yourIp": "127.0.0.1"})
    assert call("/ping", apikey="pk1_wrong") == (400, error("Invalid API key. (001)"))
    assert call("/ping", secretapikey="sk1_wröng") == (400, error("Invalid API key. (001)"))
    assert call("/ping", apikey="")[0] == 400


def test_every_cloud_has_keys_of_its_own(tmp_path: Path) -> None:
    assert make_cloud(tmp_path, 1).porkbun_key != make_cloud(tmp_path, 1).porkbun_key


def test_a_record_is_created_listed_edited_and_deleted(call: Call) -> None:
    status, made = call("/dns/create/vigilon.app", name="demo", type="CNAME", content=ALB, ttl="300")
    assert (status, made["status"]) == (200, "SUCCESS")
    assert isinstance(made["id"], str)
    shown = next(one for one in records(call) if one["id"] == made["id"])
    assert (shown["name"], shown["type"], shown["content"]) == ("demo.vigilon.app", "CNAME", ALB)
    assert (shown["ttl"], shown["prio"]) == ("600", "0")
    path = f"/dns/edit/vigilon.app/{made['id']}"
    assert call(path, name="demo", type="CNAME", content="new.example", ttl="900") == (200, {"status": "SUCCESS"})
    _, one = call(f"/dns/retrieve/vigilon.app/{made['id']}")
    assert [(found["content"], found["ttl"]) for found in one["records"]] == [("new.example", "900")]
    assert call("/dns/retrieveByNameType/vigilon.app/CNAME/demo")[1]["records"] == one["records"]
    assert call(f"/dns/delete/vigilon.app/{made['id']}") == (200, {"status": "SUCCESS"})
    assert call(f"/dns/delete/vigilon.app/{made['id']}") == (400, error("Invalid record ID."))


def test_a_domain_is_the_registered_one(call: Call) -> None:
    assert call("/dns/retrieve/demo.vigilon.app") == (400, error("Invalid domain."))
    assert call("/dns/retrieve/unknown.example") == (400, error("Invalid domain."))


def test_a_domain_that_is_not_opted_in_is_refused(cloud: Cloud, call: Call) -> None:
    fault = catalogue()["porkbun-not-opted-in"]
    fault.inject(cloud, "")
    refusal = (400, error("Domain is not opted in to API access."))
    assert call("/dns/retrieve/vigilon.app") == refusal
    assert call("/dns/create/vigilon.app", name="demo", type="CNAME", content=ALB) == refusal
    fault.clear(cloud, "")
    assert len(records(call)) == 2


def test_a_domain_is_bought_by_the_control_path(url: str, call: Call) -> None:
    answer = urllib3.request("PUT", url.partition("/api/")[0] + "/domains/fresh.example?parked=no", timeout=10)
    assert answer.json() == {"domain": "fresh.example", "opted_in": True}
    assert records(call, "fresh.example") == [], "Porkbun's own NS records are not listed"
    assert call("/dns/create/fresh.example", type="NS", content="ns1.example.net", name="eu")[0] == 200
    assert [one["content"] for one in records(call, "fresh.example")] == ["ns1.example.net"]


def test_notes_are_kept_by_whoever_says_them_again(call: Call) -> None:
    draft = {"name": "demo", "type": "CNAME", "content": "old.example", "notes": "of the shop"}
    made = call("/dns/create/vigilon.app", **draft)[1]["id"]
    for again, left in ((draft | {"content": ALB}, "of the shop"), ({**draft, "notes": ""}, "")):
        assert call(f"/dns/edit/vigilon.app/{made}", **again)[0] == 200
        assert call(f"/dns/retrieve/vigilon.app/{made}")[1]["records"][0]["notes"] == left


def test_an_edit_that_changes_nothing_is_an_error(call: Call) -> None:
    draft = {"name": "demo", "type": "CNAME", "content": ALB, "ttl": "600"}
    made = call("/dns/create/vigilon.app", **draft)[1]["id"]
    refusal = (400, error("Edit error: We were unable to edit the DNS record."))
    assert call(f"/dns/edit/vigilon.app/{made}", **draft) == refusal
    assert call(f"/dns/edit/vigilon.app/{made}", **draft | {"ttl": "60"}) == refusal, "60 is 600 there"


def test_an_edit_may_be_applied_and_answered_with_an_error(cloud: Cloud, call: Call) -> None:
    made = call("/dns/create/vigilon.app", name="demo", type="CNAME", content="old.example")[1]["id"]
    cloud.faults.switch_on("porkbun-edit-error")
    refusal = (400, error("Edit error: We were unable to edit the DNS record."))
    assert call(f"/dns/edit/vigilon.app/{made}", name="demo", type="CNAME", content=ALB) == refusal
    assert call(f"/dns/retrieve/vigilon.app/{made}")[1]["records"][0]["content"] == ALB


def test_errors_may_come_with_status_200(cloud: Cloud, call: Call) -> None:
    cloud.faults.switch_on("porkbun-error-200")
    assert call("/dns/retrieve/unknown.example") == (200, error("Invalid domain."))


def test_a_fresh_domain_is_parked_and_its_apex_takes_an_alias_only(call: Call) -> None:
    parked = next(one for one in records(call) if one["type"] == "ALIAS")
    assert (parked["name"], parked["content"]) == ("vigilon.app", "pixie.porkbun.com")
    refusal = (400, error("Create error: We were unable to create the DNS record."))
    assert call("/dns/create/vigilon.app", type="CNAME", content=ALB) == refusal
    assert call("/dns/create/vigilon.app", type="A", content="192.0.2.1") == refusal
    assert call(f"/dns/edit/vigilon.app/{parked['id']}", name="", type="ALIAS", content=ALB)[0] == 200


def test_thousands_of_records_come_at_once(cloud: Cloud, call: Call) -> None:
    for number in range(3000):
        cloud.shared(Registrar).create("porkbun.example", RecordDraft(f"host{number}", "A", "192.0.2.1"))
    assert len(records(call, "porkbun.example")) == 3002


@pytest.mark.parametrize(
    "draft",
    [
        {"name": "x", "type": "WHAT", "content": "y"},
        {"name": "x", "type": "A", "content": ""},
        {"name": "x", "type": "A", "content": "192.0.2.1", "ttl": "soon"},
        {"name": "x", "type": "A", "content": "an-alb.example"},
        {"name": "x..y", "type": "CNAME", "content": "a..b"},
    ],
)
def test_a_bad_draft_is_refused_and_nothing_is_made(call: Call, draft: dict[str, str]) -> None:
    before = records(call)
    status, answer = call("/dns/create/vigilon.app", **draft)
    assert (status, answer["status"]) == (400, "ERROR")
    assert records(call) == before


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/ping", 405), ("POST", "/nothing", 404)])
def test_what_is_no_call_is_html(url: str, method: str, path: str, status: int) -> None:
    answer = urllib3.request(method, url + path, retries=False, timeout=10)
    assert answer.status == status
    assert answer.data.startswith(b"<html>")


def test_no_json_is_an_error_not_a_crash(url: str) -> None:
    for body in (b"{", b"[]", b"\xff"):
        answer = urllib3.request("POST", url + "/ping", body=body, retries=False, timeout=10)
        assert (answer.status, answer.json()) == (400, error("Invalid JSON."))


def test_beyond_a_burst_it_is_503_in_html(tmp_path: Path) -> None:
    slow = make_cloud(tmp_path, 0.001)  # one request in 1000 s
    server = make_server("127.0.0.1", 0, porkbun.application(slow), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        ping = f"http://127.0.0.1:{server.server_port}/_porkbun/api/json/v3/ping"
        body = {"apikey": slow.porkbun_key, "secretapikey": slow.porkbun_secret}
        answers = [urllib3.request("POST", ping, json=body, retries=False, timeout=10) for _ in range(6)]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [answer.status for answer in answers] == [200] * porkbun.BURST + [503] * 2
    assert answers[-1].headers["Content-Type"] == "text/html"
    assert b"503 Service Temporarily Unavailable" in answers[-1].data


BESIDE: list[tuple[str, list[str], bool]] = [
    ("CNAME", [], False),
    ("CNAME", ["A"], True),
    ("CNAME", ["TXT"], True),
    ("CNAME", ["CNAME"], True),
    ("A", ["CNAME"], True),
    ("A", ["A", "TXT"], False),
    ("A", ["ALIAS"], True),
    ("ALIAS", ["NS", "TXT", "MX"], False),
    ("ALIAS", ["AAAA"], True),
    ("TXT", ["ALIAS"], False),
]


@pytest.mark.parametrize(("kind", "others", "expected"), BESIDE)
def test_what_may_stand_beside_what(kind: str, others: list[str], expected: bool) -> None:
    held = [HostedRecord(str(at), "x.test", other, f"value {at}") for at, other in enumerate(others)]
    elsewhere = HostedRecord("9", "y.test", "CNAME", "z.test")
    assert refused(HostedRecord("8", "x.test", kind, "new"), [*held, elsewhere]) is expected


def test_a_text_is_quoted_for_the_name_server() -> None:
    registrar = Registrar(["x.test"])
    registrar.create("x.test", RecordDraft("t", "TXT", 'say "hi" ' + "x" * 300))
    registrar.create("x.test", RecordDraft("", "MX", "mail.x.test", prio=10))
    (zone,) = registrar.zones()
    values = {entry.type: entry.value for entry in zone.entries}
    assert values["MX"] == "10 mail.x.test"
    assert values["TXT"].startswith('"say \\"hi\\" xxx')
    assert values["TXT"].count('" "') == 1
