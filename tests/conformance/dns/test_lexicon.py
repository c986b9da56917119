"""What is the dns-lexicon bridge's own."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lexicon._private.providers.cloudflare import Provider as LexiconsCloudflare
from lexicon._private.providers.porkbun import Provider as LexiconsPorkbun

from orchestrator import dns
from orchestrator.dns import model
from orchestrator.errors import Invalid, OrchestratorError, Transient
from tests.conformance.dns.worlds import LB_ZONE, NEW, OLD, ZONE, Porkbun, World, ask_at, connection


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
    with pytest.raises(Invalid, match=r"onyx-orchestrator\[lexicon\]") as refusal:
        dns.connect("lexicon:cloudflare", connection({}))
    assert [problem.code for problem in refusal.value.problems] == ["dns-lexicon-missing"]


class Cloudflare:
    """Its records behind dns-lexicon's requests: a PUT sets what it doesn't say to its default, a PATCH leaves it."""

    def __init__(self, kind: str, content: str) -> None:
        self.held = {"r1": {"id": "r1", "type": kind, "name": f"demo.{ZONE}", "content": content, "ttl": 1}}
        self.held["r1"] |= {"proxied": True, "comment": "of the shop"}
        self.writes = 0

    def ask(self, action: str = "GET", url: str = "/", data: Any = None, query_params: Any = None) -> dict[str, Any]:
        del query_params
        key, one_page = url.rsplit("/", 1)[-1], {"page": 1, "total_pages": 1}
        self.writes += action != "GET"
        if action == "PUT":
            self.held[key] = {"id": key, "proxied": False, **data}
        elif action == "PATCH":
            self.held[key] |= data
        elif action == "DELETE":
            self.held.pop(key)
        elif action == "POST":
            self.held["r2"] = {"id": "r2", "proxied": False, **data}
        if url == "/zones":
            return {"result": [{"id": "z1", "name": ZONE}], "result_info": one_page}
        found = self.held.get(key) if key in self.held else list(self.held.values())
        return {"result": found, "result_info": one_page, "success": True}


@pytest.mark.parametrize(
    ("kind", "content", "stays"), [("CNAME", OLD, True), ("A", "192.0.2.7", False)], ids=["edited", "of another type"]
)
def test_what_is_behind_a_proxy_stays_there_or_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, kind: str, content: str, stays: bool
) -> None:
    """Without it the load balancer would be shown to the world."""
    cloudflare = Cloudflare(kind, content)
    monkeypatch.setattr(LexiconsCloudflare, "_request", cloudflare.ask)
    provider = dns.connect("lexicon:cloudflare", connection({"LEXICON_CLOUDFLARE_AUTH_TOKEN": "x"}))
    name = f"demo.{ZONE}"
    wanted = model.pointer(name, NEW, zone=ZONE, ttl=300, apex="CNAME", minimum_ttl=1, target_zone=LB_ZONE)
    plan = model.plan(ZONE, provider.records(ZONE), [wanted], model.former_names(NEW), adopt=True)
    if not stays:
        with pytest.raises(OrchestratorError) as refused:
            provider.submit(ZONE, plan)
        assert [problem.code for problem in refused.value.problems] == ["dns-record-proxied"]
        assert cloudflare.writes == 0
        return
    provider.submit(ZONE, plan)
    [record] = cloudflare.held.values()
    assert (record["content"], record["proxied"], record["comment"]) == (NEW, True, "of the shop")
