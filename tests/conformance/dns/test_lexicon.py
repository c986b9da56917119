"""What is the dns-lexicon bridge's own."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from lexicon._private.providers.porkbun import Provider as LexiconsPorkbun

from orchestrator import dns
from orchestrator.errors import Invalid, Transient
from tests.conformance.dns.worlds import ZONE, Porkbun, World, ask_at, connection


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
