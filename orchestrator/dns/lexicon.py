"""The bridge to the 80 or so providers of dns-lexicon, named `lexicon:NAME`; its extra is `[lexicon]`.

Credentials are dns-lexicon's own variables (`LEXICON_CLOUDFLARE_AUTH_TOKEN` …). What it lacks is made up for here: it
has no upsert (records are listed and compared first), no batches (one request a record) and no list of zones. Nothing
it says is shown with a credential in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.dns import lexicon_raw as raw
from orchestrator.dns import proof
from orchestrator.dns.model import Change, Connection, Record, ZonePlan, extras
from orchestrator.dns.names import normal
from orchestrator.dns.sending import one_by_one, receipt
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient

T = TypeVar("T")

APEX = {"cloudflare": "CNAME", "digitalocean": "CNAME"}
"""What leads the apex elsewhere, where it isn't ALIAS (Cloudflare flattens a CNAME)."""
PATCHING = frozenset({"cloudflare"})
"""Whose PUT, which dns-lexicon sends, sets what it doesn't say to its default (the proxy to off); a PATCH doesn't."""
OWN = frozenset({"route53"})
"""dns-lexicon shows neither their aliases nor their routing policies; our own provider does."""
UNHEARD = frozenset({"ConnectionError", "Timeout", "TimeoutError", "JSONDecodeError", "ChunkedEncodingError"})
ATTEMPTS = 5
PASSING = frozenset({429, 500, 502, 503, 504})


def connect(connection: Connection, name: str) -> Lexicon:
    """The provider. Raises as `require` does; goes to no network yet."""
    require(name)
    from lexicon._private.discovery import load_provider_module  # noqa: PLC0415 - an optional extra

    return Lexicon(name, load_provider_module(name).Provider, connection)


def require(name: str) -> None:
    """Raises `Invalid` where dns-lexicon is missing or has none of that name."""
    if name in OWN:
        message = f"dns-lexicon doesn't show the aliases and routing policies of {name}, and would lose them"
        raise Invalid(Problem("dns-provider-unknown", message, "contract: dns.provider", f'use provider = "{name}"'))
    try:
        # Its Client would look up the public suffix list on the network; its providers need nothing of it.
        from lexicon._private.discovery import find_providers  # noqa: PLC0415 - an optional extra
    except ImportError:
        fix = "install orchestrate with its `lexicon` extra: `pip install '.[lexicon]'` in its clone"
        message = f"the provider lexicon:{name} needs dns-lexicon, which is not installed"
        raise Invalid(Problem("dns-lexicon-missing", message, "contract: dns.provider", fix)) from None
    known = find_providers()
    if not known.get(name):
        missing = name in known
        message = f"dns-lexicon's {name} needs more packages" if missing else f"dns-lexicon has no provider {name!r}"
        fix = f'`pip install "dns-lexicon[{name}]"`' if missing else "see https://dns-lexicon.readthedocs.io"
        raise Invalid(Problem("dns-provider-unknown", message, "contract: dns.provider", fix))


class Lexicon:
    """One of dns-lexicon's providers, its habits aligned with ours."""

    minimum_ttl = 1

    def __init__(self, provider: str, make: Callable[[Any], Any], connection: Connection) -> None:
        self.name = f"lexicon:{provider}"
        self.apex = APEX.get(provider, "ALIAS")
        self._provider = provider
        self._make = make
        self._connection = connection
        self._signed_in: dict[str, _SignedIn] = {}

    def zones(self) -> frozenset[str]:
        """None: dns-lexicon can't list them, so each zone has to be in the contract."""
        return frozenset()

    def check(self, zone: str) -> None:
        """Sign in to the zone, and read it."""
        self.records(zone)

    def records(self, zone: str) -> frozenset[Record]:
        """Every record; those of one name and type are one `Record` (`origin`: their identifiers)."""
        signed_in = self._asking(partial(self._client, zone))

        def listed() -> Any:
            signed_in.answers.forget()
            return signed_in.provider.list_records()

        found = self._asking(listed)
        others = signed_in.answers.others(found)
        groups: dict[tuple[str, str, str], list[_Entry]] = {}
        for each in found:
            entry = _Entry(each, others.get(str(each.get("id", "")), {}))
            groups.setdefault((normal(each["name"]), each["type"], raw.policy(entry.others)), []).append(entry)
        return frozenset(_record(name, kind, policy, entries) for (name, kind, policy), entries in groups.items())

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """The changes, one after the other; one that fails stops no other. Who is down twice is asked no more.

        The zone is read just before and just after: a name that isn't what it was is left alone, and a change that took
        more with it than it should is said: there are 80 providers, and not each keeps what it isn't told again.
        """
        plan.raise_if_unsafe()
        if not plan.changes:
            return ""
        before = self.records(zone)
        failures = dict(proof.stale(plan.changes, before))
        rest = replace(plan, changes=tuple(change for change in plan.changes if change.name not in failures))
        failures |= one_by_one(rest, lambda change: self._change(zone, change))
        made = [change for change in rest.changes if change.name not in failures]
        with suppress(Transient):  # then what the changes came to is seen by who looks next
            failures |= proof.altered(made, before, self.records(zone)) if made else {}
        return receipt(plan, failures)

    def settled(self, ticket: str) -> bool:  # noqa: ARG002 - dns-lexicon has no notion of it; name servers are asked instead
        """Always: what was accepted is in the zone."""
        return True

    def _change(self, zone: str, change: Change) -> None:
        """An edit where only the value differs; otherwise the old goes before the new comes."""
        wanted = [value for record in change.after for value in _values(record)]
        held = [pair for old in change.before for pair in _held(old)]
        left = [one for one in held if one.value not in wanted]
        missing = [value for value in wanted if value not in {one.value for one in held}]
        signed_in = self._asking(partial(self._client, zone))
        provider = signed_in.provider
        for one, new in zip(tuple(left), tuple(missing), strict=False):
            if one.value[0] == new[0]:
                signed_in.options["ttl"] = new[2]
                with signed_in.answers.saying_again(one.identifier, one.others):
                    self._asking(partial(provider.update_record, one.identifier, new[0], change.name, new[1]))
                left.remove(one)
                missing.remove(new)
        self._require_nothing_dear(change.name, left if missing else ())
        removed: list[_Value] = []
        try:
            for one in left:
                self._asking(partial(provider.delete_record, one.identifier, one.value[0], change.name, one.value[1]))
                removed.append(one.value)
            for new in missing:
                self._create(signed_in, change.name, new)
        except Transient:
            raise
        except OrchestratorError:
            for value in removed:
                self._create(signed_in, change.name, value)
            raise

    def _create(self, signed_in: _SignedIn, name: str, value: _Value) -> None:
        signed_in.options["ttl"] = value[2]
        self._asking(partial(signed_in.provider.create_record, value[0], name, value[1]))

    def _require_nothing_dear(self, name: str, left: Iterable[_Held]) -> None:
        """Raise where a record would have to be made anew, and would lose what it carries: a proxy, a comment."""
        for one in left:
            dear = raw.dear(one.others)
            if dear.get("proxied"):
                message = f"{name} is behind the proxy of {self.name}, and a record of another type would not be"
                fix = "make it a CNAME there by hand, with the proxy on; or turn the proxy off, and run again"
                raise OrchestratorError(Problem("dns-record-proxied", message, name, fix))
            if dear:
                said = ", ".join(f"{field} {value!r}" for field, value in sorted(dear.items()))
                message = f"{name} would have to be recreated at {self.name}, and would lose: {said}"
                fix = f"change its type there, by hand; or remove {', '.join(sorted(dear))} from it, and run again"
                raise OrchestratorError(Problem("dns-record-fields", message, name, fix))

    def _client(self, zone: str) -> _SignedIn:
        """Signed in to the zone; the options (`ttl`) are what the next call sees."""
        from lexicon.config import ConfigResolver, DictConfigSource  # noqa: PLC0415 - an optional extra

        if zone not in self._signed_in:
            options: dict[str, Any] = {"domain": normal(zone), "provider_name": self._provider}
            config: Any = ConfigResolver()  # type: ignore[no-untyped-call]
            config.add_config_source(DictConfigSource(options), 0)
            config.add_config_source(_Environment(self._connection.environment), 1)
            provider = self._make(config)
            answers = raw.Answers(provider)
            try:
                provider.authenticate()
            except Exception as error:  # noqa: BLE001 - 80 providers, each with its own exceptions: all of them mean this
                raise self._sign_in_failed(error, zone) from None
            if self._provider in PATCHING:
                provider._put = provider._patch
            self._signed_in[zone] = _SignedIn(provider, options, answers)
        return self._signed_in[zone]

    def _asking(self, call: Callable[[], T]) -> T:
        """One call, made again while the provider is throttling or down (waits of 2, 4, 8 … seconds)."""
        policy = Retrying(
            sleep=self._connection.sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=2, max=30),
            retry=retry_if_exception_type(Transient),
            reraise=True,
        )
        done: T = policy(self._once, call)
        return done

    def _once(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except OrchestratorError:
            raise
        except Exception as error:  # noqa: BLE001 - 80 providers, each with its own exceptions
            raise self._failure(error) from None

    def _sign_in_failed(self, error: Exception, zone: str) -> OrchestratorError:
        if _may_pass(error):
            return self._failure(error)
        variables = f"LEXICON_{self._provider.upper()}_…"
        message = f"{self.name} rejected the credentials for {zone}: {self._said(error)}"
        fix = f"check the zone's name, and the credentials in {variables} (dns-lexicon's documentation names them)"
        return Invalid(Problem("dns-credentials-rejected", message, "contract: dns", fix))

    def _failure(self, error: Exception) -> OrchestratorError:
        message = f"{self.name}: {self._said(error)}"
        if _may_pass(error):
            fix = "wait, then run the same command again: nothing is done twice"
            return Transient(Problem("dns-provider-unavailable", message, fix=fix))
        return OrchestratorError(Problem("dns-provider-failed", message, fix="check the record at the provider"))

    def _said(self, error: Exception) -> str:
        """The error without addresses, which may carry keys, and without any value of a LEXICON_ variable."""
        text = re.sub(r"https?://\S+", "…", str(error))
        for name, value in self._connection.environment.items():
            if name.startswith("LEXICON_") and value:
                text = text.replace(value, "***")
        return text[:300] or type(error).__name__


_Value = tuple[str, str, int | None]
"""One value of a record: type, content, TTL."""


@dataclass(frozen=True, slots=True)
class _SignedIn:
    """dns-lexicon's provider for one zone, the options that its next call sees, and what it was answered."""

    provider: Any
    options: dict[str, Any]
    answers: raw.Answers


@dataclass(frozen=True, slots=True)
class _Entry:
    """One value of a record as dns-lexicon shows it, and what else it carries at its provider."""

    said: Mapping[str, Any]
    others: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Held:
    """One value that is in the zone."""

    value: _Value
    identifier: str
    others: Mapping[str, Any]


def _values(record: Record) -> list[_Value]:
    return [(record.type, value, record.ttl) for value in record.values]


def _held(record: Record) -> list[_Held]:
    kept = record.kept or ("",) * len(record.values)
    return [
        _Held(value, identifier, extras(one))
        for value, identifier, one in zip(_values(record), record.origin, kept, strict=True)
    ]


class _Environment:
    """dns-lexicon's variables, from the environment we were given: `lexicon:NAME:key` is LEXICON_NAME_KEY."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, key: str) -> str | None:
        """None: not given."""
        return self._environment.get(key.replace(":", "_").upper()) or None


def _may_pass(error: Exception) -> bool:
    """Throttled, down, not reachable, or a page where an answer should be: a firewall's challenge, maintenance.

    The libraries underneath differ; status and class name are what they share.
    """
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status in PASSING
    return any(kind.__name__ in UNHEARD for kind in type(error).__mro__)


def _record(name: str, kind: str, policy: str, entries: Iterable[_Entry]) -> Record:
    ordered = sorted(entries, key=lambda entry: normal(str(entry.said["content"])))
    ttls = [int(entry.said["ttl"]) for entry in ordered if entry.said.get("ttl")]
    kept = tuple(json.dumps(entry.others, sort_keys=True) if entry.others else "" for entry in ordered)
    return Record(
        name,
        kind,
        values=tuple(str(entry.said["content"]) for entry in ordered),
        ttl=max(ttls, default=None),
        policy=policy,
        kept=kept if any(kept) else (),
        origin=tuple(str(entry.said.get("id", "")) for entry in ordered),
    )
