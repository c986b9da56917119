"""What is Porkbun's own: its pace, its errors, its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from orchestrator import dns
from orchestrator.dns.model import Connection, Record
from orchestrator.errors import Invalid, OrchestratorError, Transient
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns import porkbun as double
from orchestrator.local.dns.registrar import Registrar
from tests.conformance.dns.worlds import NEW, OLD, ZONE, Answer, Porkbun, World, answering, connection


def test_is_never_throttled_when_paced(porkbun: World, listening: Porkbun) -> None:
    porkbun.bring(*[f"customer-{number}.vigilon.app" for number in range(300)])
    assert {status for _path, status in listening.requests} == {200}


def test_survives_throttling(porkbun: World, listening: Porkbun) -> None:
    impatient = connection(listening.environment())
    provider = dns.connect("porkbun", Connection(impatient.environment, impatient.client, impatient.sleep, lambda: 0.0))
    plan = porkbun.plan(*[f"customer-{number}.vigilon.app" for number in range(20)])
    listening.drain()
    provider.submit(ZONE, plan)
    assert 503 in {status for _path, status in listening.requests}
    found = {record.name for record in porkbun.provider.records(ZONE)}
    assert {change.name for change in plan.changes} <= found


def test_throttled_for_ever_is_transient(listening: Porkbun) -> None:
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


def test_an_edit_error_of_an_edit_that_worked(porkbun: World, listening: Porkbun) -> None:
    porkbun.bring("demo.vigilon.app", target=OLD)
    listening.cloud.faults.switch_on("porkbun-edit-error")
    porkbun.bring("demo.vigilon.app")
    assert porkbun.pointer_at("demo.vigilon.app").points_to(NEW)


def test_one_refused_change_stops_no_other(porkbun: World) -> None:
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
def test_two_values_become_one(porkbun: World, listening: Porkbun, first: str, edits: int) -> None:
    """Two CNAMEs at one name: what a failed upsert of another tool leaves behind."""
    registrar = listening.cloud.shared(Registrar)
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
def test_wrong_keys_are_named_but_not_shown(listening: Porkbun, fault: str, spoilt: str) -> None:
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


def test_missing_keys_are_all_named(listening: Porkbun) -> None:
    nobody = dns.connect("porkbun", connection({"ORCHESTRATE_PORKBUN_URL": listening.url}))
    with pytest.raises(Invalid, match="PORKBUN_API_KEY and PORKBUN_SECRET_API_KEY") as refusal:
        nobody.check(ZONE)
    assert listening.requests == []
    assert [problem.code for problem in refusal.value.problems] == ["dns-credentials-missing"]


def test_a_domain_without_api_access(listening: Porkbun) -> None:
    listening.cloud.shared(Registrar).register("closed.example", opted_in=False)
    provider = dns.connect("porkbun", connection(listening.environment()))
    with pytest.raises(Invalid, match="opted in") as refusal:
        provider.check("closed.example")
    assert "API ACCESS" in refusal.value.problems[0].fix


def test_that_is_not_there_is_transient() -> None:
    environment = {
        "ORCHESTRATE_PORKBUN_URL": "http://127.0.0.1:9",
        "PORKBUN_API_KEY": "a",
        "PORKBUN_SECRET_API_KEY": "b",
    }
    with pytest.raises(Transient) as passing:
        dns.connect("porkbun", connection(environment)).check(ZONE)
    assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "half of it": lambda whole: whole[: len(whole) // 2],
    "nothing": lambda _whole: b"",
}


@pytest.mark.parametrize("said", [True, False], ids=["of a known length", "until the connection ends"])
@pytest.mark.parametrize("cut", CUTS)
def test_an_answer_that_is_cut_off_is_transient(listening: Porkbun, cut: str, *, said: bool) -> None:
    whole = listening.application

    def cutting(environ: Any, start_response: Any) -> Iterable[bytes]:
        lengths: list[tuple[str, str]] = []

        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            lengths[:] = [one for one in headers if one[0].lower() == "content-length"]
            others = [one for one in headers if one not in lengths]
            return start_response(status, headers if said else others, exc_info)

        yield CUTS[cut](b"".join(whole(environ, started)))

    listening.application = cutting
    provider = dns.connect("porkbun", connection(listening.environment()))
    with pytest.raises(Transient) as passing:
        provider.records(ZONE)
    assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]


def test_an_address_that_is_no_api(listening: Porkbun) -> None:
    environment = listening.environment() | {"ORCHESTRATE_PORKBUN_URL": f"{listening.url}/elsewhere"}
    with pytest.raises(OrchestratorError) as failure:
        dns.connect("porkbun", connection(environment)).check(ZONE)
    [problem] = failure.value.problems
    assert problem.code == "dns-provider-failed"
    assert "ORCHESTRATE_PORKBUN_URL" in problem.fix


CHALLENGED: Answer = (202, {"x-amzn-waf-action": "challenge"}, b"")
DOWN: Answer = (500, {}, b"<html>500 Internal Server Error</html>")


@pytest.mark.parametrize(
    ("answer", "sent"), [pytest.param(CHALLENGED, 3, id="a challenge"), pytest.param(DOWN, 1, id="a page of errors")]
)
def test_what_its_firewall_says_passes(porkbun: World, listening: Porkbun, answer: Answer, sent: int) -> None:
    """A challenge was never the API's: the same is asked again. After a 500 nobody knows, so it is looked at again."""
    left, application = [answer] * 2, listening.application

    def before(environ: Any, start_response: Any) -> Any:
        if not left or "/dns/create" not in environ["PATH_INFO"]:
            return application(environ, start_response)
        status, headers, body = left.pop()
        start_response(f"{status} says", list(headers.items()))
        return [body]

    plan = porkbun.plan("demo.vigilon.app")
    asked = len(listening.requests)
    listening.application = before
    if sent == 1:
        with pytest.raises(Transient) as passing:
            porkbun.provider.submit(ZONE, plan)
        assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]
    else:
        porkbun.provider.submit(ZONE, plan)
        assert porkbun.pointer_at("demo.vigilon.app").points_to(NEW)
    assert len([path for path, _status in listening.requests[asked:] if "/dns/create" in path]) == sent


PAGE = b"<!DOCTYPE html><html><body><h1>Just a moment</h1></body></html>"
ERROR: dict[str, str] = {"content-type": "application/json"}
NOT_NOW = [
    pytest.param((403, {}, PAGE), True, id="the firewall's page"),
    pytest.param((405, {"x-amzn-waf-action": "captcha"}, PAGE), True, id="a captcha"),
    pytest.param((405, {}, PAGE), True, id="not allowed"),
    pytest.param((429, {}, PAGE), True, id="too many"),
    pytest.param((503, {}, PAGE), True, id="busy"),
    pytest.param((400, ERROR, b'{"status":"ERROR","message":"Rate limit exceeded."}'), True, id="too fast, in JSON"),
    pytest.param((200, ERROR, b'{"status":"ERROR","code":"RATE_LIMIT"}'), True, id="too fast, by a code"),
    pytest.param((200, {}, PAGE), False, id="maintenance"),
    pytest.param((500, ERROR, b'{"status":"ERROR","message":"Internal error."}'), False, id="down, in JSON"),
    pytest.param((521, {}, PAGE), False, id="down, says what is before it"),
]


@pytest.mark.parametrize("path", ["/dns/retrieve", "/dns/create"])
@pytest.mark.parametrize(("answer", "again"), NOT_NOW)
def test_a_page_in_place_of_an_answer_is_not_now(
    porkbun: World, listening: Porkbun, path: str, answer: Answer, *, again: bool
) -> None:
    """What can't have reached the API is asked again at once; after the rest it is looked at again. Both may pass."""
    plan = porkbun.plan("demo.vigilon.app")
    left = answering(listening, path, answer, 2)
    if again:
        porkbun.provider.submit(ZONE, plan)
        assert not left
    else:
        with pytest.raises(Transient) as passing:
            porkbun.provider.submit(ZONE, plan)
        assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]
        left.clear()
        porkbun.bring("demo.vigilon.app")
    assert porkbun.pointer_at("demo.vigilon.app").points_to(NEW)


def test_a_page_for_ever_may_pass_and_names_the_address(porkbun: World, listening: Porkbun) -> None:
    answering(listening, "/dns/retrieve", (403, {}, PAGE), 1000)
    with pytest.raises(Transient, match="ORCHESTRATE_PORKBUN_URL"):
        porkbun.provider.records(ZONE)


@pytest.mark.parametrize("status", [301, 404, 410])
def test_a_page_where_no_api_is_is_not_waited_for(porkbun: World, listening: Porkbun, status: int) -> None:
    answering(listening, "/dns/retrieve", (status, {}, PAGE), 1000)
    with pytest.raises(OrchestratorError) as failure:
        porkbun.provider.records(ZONE)
    assert not isinstance(failure.value, Transient)
    assert [problem.code for problem in failure.value.problems] == ["dns-provider-failed"]


def test_the_api_s_former_address_is_said_at_once(listening: Porkbun, monkeypatch: pytest.MonkeyPatch) -> None:
    """porkbun.com answers 403 with a page to everybody."""
    monkeypatch.setattr(
        urllib3.PoolManager, "request", lambda *_arguments, **_named: urllib3.HTTPResponse(PAGE, status=403)
    )
    environment = listening.environment() | {"ORCHESTRATE_PORKBUN_URL": "https://porkbun.com/api/json/v3"}
    with pytest.raises(OrchestratorError, match="without JSON") as failure:
        dns.connect("porkbun", connection(environment)).records(ZONE)
    assert not isinstance(failure.value, Transient)


@pytest.mark.parametrize(
    "records", ['[{"name":"demo.vigilon.app"}]', '["demo"]', '{"a":1}', '[{"name":null,"type":"A"}]']
)
def test_an_answer_of_another_form_is_no_traceback(porkbun: World, listening: Porkbun, records: str) -> None:
    body = f'{{"status":"SUCCESS","records":{records}}}'.encode()
    answering(listening, "/dns/retrieve", (200, ERROR, body), 1)
    with pytest.raises(OrchestratorError, match="match its documentation") as failure:
        porkbun.provider.records(ZONE)
    assert [problem.code for problem in failure.value.problems] == ["dns-provider-failed"]


def test_what_was_removed_for_a_change_that_is_refused_comes_back(porkbun: World, listening: Porkbun) -> None:
    """Two addresses are to become one CNAME: one goes, the other can't be edited."""
    theirs = Record("demo.vigilon.app", "A", ("192.0.2.1", "192.0.2.2"), 700)
    porkbun.write(theirs)
    plan = porkbun.plan("demo.vigilon.app", adopt=True)
    before = porkbun.raw()
    answering(listening, "/dns/edit", (400, ERROR, b'{"status":"ERROR","message":"Edit error: no."}'), 1)
    with pytest.raises(OrchestratorError) as failure:
        porkbun.provider.submit(ZONE, plan)
    assert [problem.code for problem in failure.value.problems] == ["dns-change-failed"]
    assert porkbun.raw() == before
