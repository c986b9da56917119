"""What is the dns-lexicon bridge's own."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lexicon._private.providers.porkbun import Provider as LexiconsPorkbun

from orchestrator import dns
from orchestrator.dns import lexicon_raw
from orchestrator.dns.model import Record
from orchestrator.errors import Invalid, OrchestratorError, Transient
from tests.conformance.dns.cloudflare import Cloudflare
from tests.conformance.dns.worlds import NEW, OLD, ZONE, Porkbun, World, answering, ask_at, connection


def test_wrong_keys_are_named_but_not_shown(
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


def test_says_no_key_that_stands_in_an_error(lexicon: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its providers write their keys into addresses, and those into their errors."""

    def authenticate(self: Any) -> None:
        raise RuntimeError(f"GET https://api.example.com/?key={self._api_key} failed: bad key {self._api_key}")

    monkeypatch.setattr(LexiconsPorkbun, "authenticate", authenticate)
    provider = dns.connect("lexicon:porkbun", connection({"LEXICON_PORKBUN_AUTH_KEY": "pk1_canary"}))
    with pytest.raises(Invalid, match=r"bad key \*\*\*") as refusal:
        provider.check(ZONE)
    assert "canary" not in str(refusal.value)


def test_that_is_not_there_is_transient(lexicon: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(Transient):
        lexicon.provider.check(ZONE)


def test_has_no_such_provider() -> None:
    with pytest.raises(Invalid, match="no provider 'nobody'") as refusal:
        dns.connect("lexicon:nobody", connection({}))
    assert [problem.code for problem in refusal.value.problems] == ["dns-provider-unknown"]


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lexicon._private.discovery", None)
    with pytest.raises(Invalid, match=r"pip install '\.\[lexicon\]'") as refusal:
        dns.connect("lexicon:cloudflare", connection({}))
    assert [problem.code for problem in refusal.value.problems] == ["dns-lexicon-missing"]


PROXIED = '{"comment": "of the shop", "proxied": true}'
NAME = f"demo.{ZONE}"


def test_what_is_behind_a_proxy_stays_there(cloudflare: World) -> None:
    """Without it the load balancer would be shown to the world."""
    cloudflare.write(Record(NAME, "CNAME", (OLD,), 1, kept=(PROXIED,)))
    [before] = cloudflare.zone()
    cloudflare.bring(NAME)
    assert cloudflare.zone() == [before._replace(value=NEW)]
    assert cloudflare.pointer_at(NAME).is_proxied


@pytest.mark.parametrize(("kept", "code"), [(PROXIED, "proxied"), ('{"comment": "of the shop"}', "fields")])
def test_what_would_lose_what_it_carries_is_left_alone(cloudflare: World, kept: str, code: str) -> None:
    """Another type means another record there: without proxy, without comment."""
    cloudflare.write(Record(NAME, "A", ("192.0.2.7",), 300, kept=(kept,)))
    before, sent = cloudflare.zone(), cloudflare.writes()
    with pytest.raises(OrchestratorError) as refused:
        cloudflare.adopt(NAME)
    [problem] = refused.value.problems
    assert problem.code == f"dns-record-{code}"
    assert "by hand" in problem.fix
    assert (cloudflare.zone(), cloudflare.writes()) == (before, sent)


def test_what_was_removed_for_a_record_that_is_refused_comes_back(cloudflare: World, behind: Cloudflare) -> None:
    cloudflare.write(Record(NAME, "A", ("192.0.2.7",), 300))
    before = cloudflare.zone()
    plan = cloudflare.plan(NAME, adopt=True)
    behind.refuses = "CNAME"
    with pytest.raises(OrchestratorError) as refused:
        cloudflare.provider.submit(ZONE, plan)
    assert [problem.code for problem in refused.value.problems] == ["dns-provider-failed"]
    assert cloudflare.zone() == before


def test_what_is_throttled_is_asked_again(cloudflare: World, behind: Cloudflare) -> None:
    plan = cloudflare.plan(NAME)
    behind.busy = 3
    cloudflare.provider.submit(ZONE, plan)
    assert [status for _method, _path, status in behind.requests].count(429) == 3
    assert cloudflare.pointer_at(NAME).points_to(NEW)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(202, {"x-amzn-waf-action": "challenge"}, b""), (200, {}, b"<html>Just a moment</html>"), (502, {}, b"<html>")],
)
def test_a_page_in_place_of_an_answer_may_pass(
    lexicon: World, listening: Porkbun, status: int, headers: dict[str, str], body: bytes
) -> None:
    lexicon.provider.check(ZONE)
    answering(listening, "/dns/retrieve", (status, headers, body), 1000)
    with pytest.raises(Transient) as passing:
        lexicon.provider.records(ZONE)
    assert [problem.code for problem in passing.value.problems] == ["dns-provider-unavailable"]


def test_route_53_is_asked_by_our_own_provider_only() -> None:
    with pytest.raises(Invalid, match="routing policies") as refusal:
        dns.connect("lexicon:route53", connection({}))
    assert 'provider = "route53"' in refusal.value.problems[0].fix


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({"proxied": True, "comment": "x", "meta": {"auto_added": False}}, ""),
        ({"weight": 0, "priority": 0, "tag": "", "protocol": "tcp"}, ""),
        ({"line": "\u9ed8\u8ba4", "regions": ["global"], "gtdLocation": "DEFAULT", "failover": False}, ""),
        ({"weight": 30}, "weight 30"),
        ({"regions": ["IAD", "SFO"]}, 'regions ["IAD", "SFO"]'),
        ({"line": "\u7535\u4fe1"}, 'line "\u7535\u4fe1"'),
        ({"filters": [{"filter": "up"}]}, 'filters [{"filter": "up"}]'),
        ({"failover": True}, "failover true"),
        ({"geolocation": {"country": "CH"}}, 'geolocation {"country": "CH"}'),
    ],
)
def test_a_record_that_is_one_answer_of_several_is_known_by_its_fields(fields: dict[str, Any], policy: str) -> None:
    assert lexicon_raw.policy(fields) == policy


def test_one_answer_of_several_is_left_alone(cloudflare: World, behind: Cloudflare) -> None:
    """Whoever the provider is: its own field says so, which dns-lexicon doesn't pass on."""
    behind.write({"name": NAME, "type": "CNAME", "content": OLD, "ttl": 300, "weight": 30})
    [conflict] = cloudflare.plan(NAME, adopt=True).conflicts
    assert "weight 30" in conflict.problem.message


LISTED = [{"id": "77", "type": "CNAME", "name": NAME, "content": OLD, "ttl": 300}]


@pytest.mark.parametrize(
    ("answer", "others"),
    [
        ({"records": [{"id": 77, "type": "CNAME", "name": "demo", "data": OLD, "weight": 3}]}, {"weight": 3}),
        (
            {"DomainRecords": {"Record": [{"RecordId": "77", "Value": f"{OLD}.", "RR": "demo", "Line": "oversea"}]}},
            {"RR": "demo", "Line": "oversea"},
        ),
        ([{"id": "77", "content": OLD, "updated_at": "2026", "note": "of the shop"}], {"note": "of the shop"}),
        ({"rrsets": [{"name": NAME, "type": "CNAME", "records": [OLD]}]}, {}),
        ({"id": "77", "content": "another"}, {}),
    ],
    ids=["of its own names", "in capitals", "a list", "without ids", "another's"],
)
def test_a_record_is_found_in_whatever_its_provider_answered(answer: Any, others: dict[str, Any]) -> None:
    class Some:
        def _request(self, action: str = "GET", url: str = "/", data: Any = None, query_params: Any = None) -> Any:
            return answer if action == "GET" else [url, data, query_params]

    provider = Some()
    answers = lexicon_raw.Answers(provider)
    provider._request("GET", "/records", query_params={"page": 1})
    assert answers.others(LISTED)["77"] == others
    answers.forget()
    assert answers.others(LISTED)["77"] == {}


@pytest.mark.parametrize(("url", "sent"), [("/records/77", {"comment": "x", "data": NEW}), ("/records", {"data": NEW})])
def test_what_is_dear_is_said_again_of_this_record_only(url: str, sent: dict[str, Any]) -> None:
    class Some:
        def _request(self, action: str, url: str, data: Any = None, query_params: Any = None) -> Any:
            return [action, url, data, query_params]

    provider = Some()
    answers = lexicon_raw.Answers(provider)
    with answers.saying_again("77", {"comment": "x", "weight": 3}):
        assert provider._request("PUT", url, data={"data": NEW}, query_params=None)[2] == sent
    assert provider._request("PUT", url, data={"data": NEW}, query_params=None)[2] == {"data": NEW}
