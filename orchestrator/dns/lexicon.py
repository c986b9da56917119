"""The bridge to the 80 or so providers of dns-lexicon, named `lexicon:NAME`; its extra is `[lexicon]`.

Credentials are dns-lexicon's own variables (`LEXICON_CLOUDFLARE_AUTH_TOKEN` …). What it lacks is made up for here: it
has no upsert (records are listed and compared first), no batches (one request a record) and no list of zones. Nothing
it says is shown with a credential in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.dns.model import Change, Connection, Record, ZonePlan, normal, one_by_one, receipt
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient

T = TypeVar("T")

APEX = {"cloudflare": "CNAME", "route53": "CNAME", "digitalocean": "CNAME"}
"""What leads the apex elsewhere, where it isn't ALIAS (Cloudflare flattens a CNAME)."""
PROXIES = frozenset({"cloudflare"})
"""Whose records may hide what they lead to behind the provider's proxy, which dns-lexicon neither shows nor sets."""
ATTEMPTS = 5
PASSING = frozenset({429, 500, 502, 503, 504})
REJECTED = frozenset({400, 401, 403})
"""Of a sign-in: many APIs answer 400 to wrong keys."""


def connect(connection: Connection, name: str) -> Lexicon:
    """The provider. Raises as `require` does; goes to no network yet."""
    require(name)
    from lexicon._private.discovery import load_provider_module  # noqa: PLC0415 - an optional extra

    return Lexicon(name, load_provider_module(name).Provider, connection)


def require(name: str) -> None:
    """Raises `Invalid` where dns-lexicon is missing or has none of that name."""
    try:
        # Its Client would look up the public suffix list on the network; its providers need nothing of it.
        from lexicon._private.discovery import find_providers  # noqa: PLC0415 - an optional extra
    except ImportError:
        fix = "install orchestrate with its extra `lexicon`: in its clone, `pip install '.[lexicon]'`"
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
        self._signed_in: dict[str, tuple[Any, dict[str, Any]]] = {}

    def zones(self) -> frozenset[str]:
        """None: dns-lexicon can't list them, so each zone has to be in the contract."""
        return frozenset()

    def check(self, zone: str) -> None:
        """Sign in to the zone, and read it."""
        self.records(zone)

    def records(self, zone: str) -> frozenset[Record]:
        """Every record; those of one name and type are one `Record` (`origin`: their identifiers)."""
        provider, _options = self._asking(partial(self._client, zone))
        found = self._asking(provider.list_records)
        groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for entry in found:
            groups.setdefault((normal(entry["name"]), entry["type"]), []).append(entry)
        return frozenset(_record(name, kind, entries) for (name, kind), entries in groups.items())

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """The changes, one after the other; one that fails stops no other. Who is down twice is asked no more."""
        plan.raise_if_unsafe()
        return receipt(plan, one_by_one(plan, lambda change: self._change(zone, change)))

    def settled(self, ticket: str) -> bool:  # noqa: ARG002 - dns-lexicon has no notion of it; name servers are asked instead
        """Always: what was accepted is in the zone."""
        return True

    def _change(self, zone: str, change: Change) -> None:
        """An edit where only the value differs; otherwise the old goes before the new comes."""
        wanted = [value for record in change.after for value in _values(record)]
        held = [pair for old in change.before for pair in zip(_values(old), old.origin, strict=True)]
        left = [(value, each) for value, each in held if value not in wanted]
        missing = [value for value in wanted if value not in {value for value, _each in held}]
        provider, options = self._asking(partial(self._client, zone))
        for (old, identifier), new in zip(left, missing, strict=False):
            if old[0] == new[0]:
                options["ttl"] = new[2]
                self._asking(partial(provider.update_record, identifier, new[0], change.name, new[1]))
                left, missing = [one for one in left if one[1] != identifier], [one for one in missing if one != new]
        self._require_unproxied(change.name, provider, [identifier for _old, identifier in left])
        for old, identifier in left:
            self._asking(partial(provider.delete_record, identifier, old[0], change.name, old[1]))
        for new in missing:
            options["ttl"] = new[2]
            self._asking(partial(provider.create_record, new[0], change.name, new[1]))

    def _require_unproxied(self, name: str, provider: Any, identifiers: Iterable[str]) -> None:
        """Raise where a record would have to be made anew: it would show the load balancer to the world."""
        if self._provider not in PROXIES:
            return
        for identifier in identifiers:
            held = self._asking(partial(provider._get, f"/zones/{provider.domain_id}/dns_records/{identifier}"))
            if held["result"].get("proxied"):
                message = f"{name} is behind the proxy of {self.name}, and a record of another type would not be"
                fix = "make it a CNAME there, by hand, with the proxy on; or switch the proxy off, and run again"
                raise OrchestratorError(Problem("dns-record-proxied", message, name, fix))

    def _client(self, zone: str) -> tuple[Any, dict[str, Any]]:
        """Signed in to the zone; the dictionary holds the options (`ttl`) that the next call sees."""
        from lexicon.config import ConfigResolver, DictConfigSource  # noqa: PLC0415 - an optional extra

        if zone not in self._signed_in:
            options: dict[str, Any] = {"domain": normal(zone), "provider_name": self._provider}
            config: Any = ConfigResolver()  # type: ignore[no-untyped-call]
            config.add_config_source(DictConfigSource(options), 0)
            config.add_config_source(_Environment(self._connection.environment), 1)
            provider = self._make(config)
            try:
                provider.authenticate()
            except Exception as error:  # noqa: BLE001 - 80 providers, each with its own exceptions: all of them mean this
                raise self._sign_in_failed(error, zone) from None
            if self._provider in PROXIES:
                provider._put = provider._patch  # a PUT sets what it doesn't say to its default: the proxy to off
            self._signed_in[zone] = (provider, options)
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
        return OrchestratorError(Problem("dns-provider-failed", message, fix="look at the record at the provider"))

    def _said(self, error: Exception) -> str:
        """The error without addresses, which may carry keys, and without any value of a LEXICON_ variable."""
        text = re.sub(r"https?://\S+", "…", str(error))
        for name, value in self._connection.environment.items():
            if name.startswith("LEXICON_") and value:
                text = text.replace(value, "***")
        return f"{type(error).__name__}: {text}"[:300]


_Value = tuple[str, str, int | None]
"""One value of a record: type, content, TTL."""


def _values(record: Record) -> list[_Value]:
    return [(record.type, value, record.ttl) for value in record.values]


class _Environment:
    """dns-lexicon's variables, from the environment we were given: `lexicon:NAME:key` is LEXICON_NAME_KEY."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, key: str) -> str | None:
        """None: not given."""
        return self._environment.get(key.replace(":", "_").upper()) or None


def _may_pass(error: Exception) -> bool:
    """Throttled, down, or not reachable. The libraries underneath differ; status and class name are what they share."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status in PASSING
    return any(kind.__name__ in {"ConnectionError", "Timeout", "TimeoutError"} for kind in type(error).__mro__)


def _record(name: str, kind: str, entries: Iterable[Mapping[str, Any]]) -> Record:
    ordered = sorted(entries, key=lambda entry: normal(str(entry["content"])))
    ttls = [int(entry["ttl"]) for entry in ordered if entry.get("ttl")]
    return Record(
        name,
        kind,
        values=tuple(str(entry["content"]) for entry in ordered),
        ttl=max(ttls, default=None),
        origin=tuple(str(entry.get("id", "")) for entry in ordered),
    )
