"""Porkbun, API v3: one list per zone, then one request a change, about one a second.

The two keys go only into request bodies: they are in no message, no `repr` and no address. What the API really does
(string ids, relative names in, full names out, HTML when throttled, errors for edits that worked) is met here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import urllib3
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.dns import proof
from orchestrator.dns.model import ADDRESS_TYPES, Change, Connection, Record, ZonePlan, extras
from orchestrator.dns.names import normal
from orchestrator.dns.sending import one_by_one, receipt
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient
from orchestrator.probe import unheard

BASE_URL = "https://api.porkbun.com/api/json/v3"
KEYS = {"apikey": "PORKBUN_API_KEY", "secretapikey": "PORKBUN_SECRET_API_KEY"}
"""Field of a request → the environment variable it comes from."""
INTERVAL = 1.0
"""Seconds from one request to the next: above one a second it throttles."""
TIMEOUT = urllib3.Timeout(connect=10, read=30)
ATTEMPTS = 6
PAGE = 1000
"""Domains in one answer of domain/listAll."""
UNDERSTOOD = frozenset({"id", "name", "type", "content", "ttl"})
"""Fields of a record that `Record` has places for. All others come back as they were."""
SAID_AGAIN = ("notes", "prio")
NOTHING = (None, "", "0", 0)
THROTTLED = frozenset({429, 502, 503, 504})
PAGES = frozenset({403, 405, 429})
"""With a page in place of JSON: the firewall's, which lets the same request through later (405: a captcha)."""
HASTE = ("rate limit", "rate_limit", "too many", "try again")
"""In the API's words: too fast, or not now."""
FORMER_HOST = "porkbun.com"
"""Where the API was: it answers 403 with a page to everybody."""
CHALLENGE = 202
"""The API never says it; the firewall before it does (AWS WAF), when it takes a burst for a robot's."""


def connect(connection: Connection) -> Porkbun:
    """The provider. The keys are asked for when it is first used: a run that leaves DNS alone needs none."""
    base_url = connection.environment.get("ORCHESTRATE_PORKBUN_URL") or BASE_URL
    return Porkbun(_Api(base_url, connection.environment, connection.sleep, connection.clock))


def _keys(environment: Mapping[str, str]) -> dict[str, str]:
    missing = [name for name in KEYS.values() if not environment.get(name)]
    if missing:
        raise Invalid(
            Problem(
                code="dns-credentials-missing",
                message=f"Porkbun needs {' and '.join(missing)} in the environment",
                fix="create an API key at https://porkbun.com/account/api and export both variables",
            )
        )
    return {field: environment[name] for field, name in KEYS.items()}


class Porkbun:
    """A zone is a registered domain with API access switched on."""

    name = "porkbun"
    apex = "ALIAS"
    minimum_ttl = 600

    def __init__(self, api: _Api) -> None:
        self._api = api

    def zones(self) -> frozenset[str]:
        """Every domain of the account (1000 a page)."""
        found: set[str] = set()
        while True:
            page = self._api.ask("domain/listAll", {"start": str(len(found))}).get("domains") or ()
            with _as_documented("domain/listAll"):
                found |= {normal(domain["domain"]) for domain in page}
            if len(page) < PAGE:
                return frozenset(found)

    def check(self, zone: str) -> None:
        """Raises `Invalid` unless the keys read the zone."""
        self.records(zone)

    def records(self, zone: str) -> frozenset[Record]:
        """Every record of the zone; those of one name and type are one `Record` (`origin`: their ids)."""
        path = f"dns/retrieve/{normal(zone)}"
        answer = self._api.ask(path)
        with _as_documented(path):
            return frozenset(_grouped(answer.get("records") or ()))

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """The changes, one after the other; one that fails stops no other. Who is down twice is asked no more.

        The API has no compare-and-swap, so the zone is read just before and just after: a name that isn't what it was
        is left alone, and one that lost more than it should is said. Nothing is to be waited for: the ticket is empty.
        """
        plan.raise_if_unsafe()
        if not plan.changes:
            return ""
        before = self.records(zone)
        failures = dict(proof.stale(plan.changes, before))
        rest = replace(plan, changes=tuple(change for change in plan.changes if change.name not in failures))
        failures |= one_by_one(rest, lambda change: self._make(normal(zone), change))
        made = [change for change in rest.changes if change.name not in failures]
        with suppress(Transient):  # then what the changes came to is seen by who looks next
            failures |= proof.altered(made, before, self.records(zone)) if made else {}
        return receipt(plan, failures)

    def settled(self, ticket: str) -> bool:  # noqa: ARG002 - the API has no notion of it; its name servers are asked instead
        """Always: what the API accepted is in the zone."""
        return True

    def _make(self, zone: str, change: Change) -> None:
        """Edit records into the wanted ones, whatever their types were: the name is never without an answer."""
        wanted = [value for record in change.after for value in _values(record)]
        held = [(value, handle) for old in change.before for value, handle in _handles(old)]
        left = [(value, handle) for value, handle in held if value not in wanted]
        missing = [value for value in wanted if value not in {value for value, _handle in held}]
        carried = {value: one for record in (*change.before, *change.after) for value, one in _carried(record)}
        removed: list[_Value] = []
        try:
            for value, superfluous in left[len(missing) :]:
                self._api.ask(f"dns/delete/{zone}/{superfluous}")
                removed.append(value)
            for (_value, handle), new in zip(left, missing, strict=False):
                self._api.ask(f"dns/edit/{zone}/{handle}", _request(zone, change.name, new, carried[new]))
            for new in missing[len(left) :]:
                self._api.ask(f"dns/create/{zone}", _request(zone, change.name, new, carried[new]))
        except _Failed:
            # "Edit error" is also said of edits that were made, and the record may be gone: only the list tells.
            if self._is_made(zone, change):
                return
            for value in removed:
                self._api.ask(f"dns/create/{zone}", _request(zone, change.name, value, carried[value]))
            raise

    def _is_made(self, zone: str, change: Change) -> bool:
        found = [record for record in self.records(zone) if record.name == change.name]
        present = {value for record in found if record.type in ADDRESS_TYPES for value in _values(record)}
        return present == {value for record in change.after for value in _values(record)}


_Value = tuple[str, str, int]
"""One record of Porkbun's: type, content, TTL."""


def _values(record: Record) -> list[_Value]:
    ttl = max(record.ttl or 0, Porkbun.minimum_ttl)
    return [(record.type, value, ttl) for value in record.values]


def _handles(record: Record) -> Iterable[tuple[_Value, str]]:
    """Each value with the id it has at Porkbun: `_grouped` gave them the same order."""
    return zip(_values(record), record.origin, strict=True)


def _carried(record: Record) -> Iterable[tuple[_Value, Mapping[str, Any]]]:
    """What each value carries besides."""
    kept = [*record.kept, *[""] * len(record.values)]
    return [(value, extras(one)) for value, one in zip(_values(record), kept, strict=False)]


def _request(zone: str, name: str, value: _Value, carried: Mapping[str, Any]) -> dict[str, str]:
    """Names are relative to the zone in requests (the apex: empty), full in answers; numbers are strings.

    An edit replaces the record: what isn't said again may be cleared.
    """
    kind, content, ttl = value
    relative = name.removesuffix(zone).removesuffix(".")
    again = {field: str(carried[field]) for field in SAID_AGAIN if field in carried}
    return {**again, "name": relative, "type": kind, "content": content, "ttl": str(ttl)}


def _grouped(found: Iterable[Mapping[str, Any]]) -> Iterable[Record]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in found:
        groups.setdefault((normal(entry["name"]), entry["type"]), []).append(entry)
    for (name, kind), entries in groups.items():
        entries.sort(key=lambda entry: normal(str(entry["content"])))
        ttls = [int(entry["ttl"]) for entry in entries if entry.get("ttl")]
        kept = tuple(map(_others, entries))
        yield Record(
            name,
            kind,
            values=tuple(str(entry["content"]) for entry in entries),
            ttl=max(ttls, default=Porkbun.minimum_ttl),
            kept=kept if any(kept) else (),
            origin=tuple(str(entry["id"]) for entry in entries),
        )


def _others(entry: Mapping[str, Any]) -> str:
    """`notes`, `prio` and whatever else it carries, as JSON; empty: nothing."""
    others = {key: value for key, value in entry.items() if key not in UNDERSTOOD and value not in NOTHING}
    return json.dumps(others, sort_keys=True) if others else ""


def _unlike(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


@contextmanager
def _as_documented(path: str) -> Iterator[None]:
    """Turn what an answer of another form than the documented one makes of our reading into a problem."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"Porkbun's answer doesn't match its documentation ({_unlike(error)})"
        fix = "report it with that answer; meanwhile, set the records by hand: orchestrate dns plan"
        raise OrchestratorError(Problem("dns-provider-failed", text, context=path, fix=fix)) from None


class _Throttled(Exception):
    """Too fast, or busy: nothing was done, the same request may be sent again."""


class _Failed(OrchestratorError):
    """The API answered with an error: the change may have been made nevertheless."""


class _Api:
    """JSON by POST, paced; every failure is a `Problem`."""

    def __init__(
        self, base_url: str, environment: Mapping[str, str], sleep: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._environment = environment
        self._sleep = sleep
        self._clock = clock
        self._earliest = clock()
        self._http_host = (urllib3.util.parse_url(base_url).host or "").removeprefix("www.")
        self._http = urllib3.PoolManager(timeout=TIMEOUT, retries=False)

    def ask(self, path: str, content: Mapping[str, str] | None = None) -> dict[str, Any]:
        """One request, sent again while throttled (waits of 2, 4, 8 … seconds)."""
        throttled = retry_if_exception_type(_Throttled)
        policy = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=2, max=30),
            retry=throttled,
            reraise=True,
        )
        try:
            return policy(self._once, path, content or {})
        except _Throttled as error:
            raise Transient(_unavailable(f"Porkbun is throttling or down ({error})", path)) from error

    def _once(self, path: str, content: Mapping[str, str]) -> dict[str, Any]:
        body = json.dumps({**content, **_keys(self._environment)})
        self._pace()
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._http.request("POST", f"{self._base_url}/{path}", body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            # Whether a change got through is unknown: it is not repeated, the next observation tells.
            raise Transient(_unavailable(f"Porkbun can't be reached: {unheard(error)}", path)) from error
        if answer.status == CHALLENGE or "x-amzn-waf-action" in answer.headers:
            raise _Throttled(f"HTTP {answer.status}, a challenge from its firewall")
        if answer.status == HTTPStatus.FORBIDDEN and self._http_host == FORMER_HOST:
            raise _no_api(path, answer.status)
        return _content(path, answer.status, answer.data)

    def _pace(self) -> None:
        ahead = self._earliest - self._clock()
        if ahead > 0:
            self._sleep(ahead)
        self._earliest = max(self._clock(), self._earliest) + INTERVAL


def _unavailable(message: str, path: str) -> Problem:
    fix = "wait, then run the same command again: nothing is done twice"
    return Problem("dns-provider-unavailable", message, context=path, fix=fix)


def _content(path: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("status") == "SUCCESS":
        return answer
    if status in THROTTLED:
        raise _Throttled(f"HTTP {status}")
    if answer is None and (body.lstrip().startswith(b"{") or (status == HTTPStatus.OK and not body)):
        raise Transient(_unavailable("Porkbun's answer was cut off", path))  # the change may have been made: look
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Transient(_unavailable(f"Porkbun is down (HTTP {status})", path))  # so it may
    if isinstance(answer, dict):
        said = f"{answer.get('code', '')} {answer.get('message', 'no message')}".strip()
        if any(words in said.lower() for words in HASTE):
            raise _Throttled(said)
        raise _refusal(path, said)
    if status == HTTPStatus.OK:
        raise Transient(_unavailable("Porkbun answered with a page", path))  # maintenance, a challenge: look again
    if status in PAGES:
        raise _Throttled(f"HTTP {status} with a page from its firewall; is ORCHESTRATE_PORKBUN_URL set, and right?")
    raise _no_api(path, status)


def _no_api(path: str, status: int) -> OrchestratorError:
    text = f"Porkbun answered HTTP {status} without JSON"
    fix = f"the address of the API is {BASE_URL}; correct ORCHESTRATE_PORKBUN_URL if it is set"
    return OrchestratorError(Problem("dns-provider-failed", text, context=path, fix=fix))


def _refusal(path: str, message: str) -> OrchestratorError:
    """The API has no error codes, only English: what is recognised here is in its documentation or was seen."""
    said, text = message.lower(), f"Porkbun says: {message}"
    if "api key" in said:
        fix = "check PORKBUN_API_KEY and PORKBUN_SECRET_API_KEY at https://porkbun.com/account/api"
        return Invalid(Problem("dns-credentials-rejected", text, context=path, fix=fix))
    if "opted in" in said:
        fix = "switch on API ACCESS for the domain: porkbun.com, Domain Management, Details"
        return Invalid(Problem("dns-credentials-rejected", text, context=path, fix=fix))
    if "invalid domain" in said:
        fix = "dns.zone is the registered domain, and must be in the account of the API key"
        return Invalid(Problem("dns-zone-not-found", text, context=path, fix=fix))
    return _Failed(Problem("dns-change-failed", text, context=path, fix="check the record at Porkbun and run again"))
