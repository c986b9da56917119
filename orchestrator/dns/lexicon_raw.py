"""What a provider says of its records beyond what dns-lexicon passes on: read in the answers that it gives to a list.

dns-lexicon shows name, type, content and TTL. What else a record carries (a proxy, a comment, a weight, the part of the
world that it is for) has to be known nevertheless: to refuse what a plain change would destroy, and to see afterwards
whether all of it is still there. No provider is known here by name: a record is found in an answer by its identifier.
Of providers that give their records none, nothing more is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from typing import Any

from orchestrator.dns.names import normal

UNDERSTOOD = frozenset(
    {"id", "name", "type", "content", "ttl", "value", "data", "target", "address", "record", "fqdn", "hostname", "host"}
)
"""What `Record` has places for, under the names that providers give it."""
VOLATILE = re.compile(
    r"(modif|updat|chang|creat|serial|version|etag|revision|checksum|date|time|_on$|_at$)", re.IGNORECASE
)
"""In the names of fields that change with each write."""
POLICIES = re.compile(
    r"^(weight|geo.*|region|regions|line|lines|line_?id|view|failover.*|routing_?policy|policy|filters|gtd_?location|set_?identifier"
    r"|pool|pools|dynamic.*|health_?check.*|monitor.*|asn_?rules|country.*|continent.*|latency.*|priority_?group)$",
    re.IGNORECASE,
)
"""The names of fields that make a record one answer of several. Where they say something, the record is left alone."""
USUAL = frozenset({"", "0", "-1", "default", "global", "world", "all", "none", "standard", "false", "\u9ed8\u8ba4"})
"""What such a field says of a record that answers everybody; \u9ed8\u8ba4 is DNSPod's and Aliyun's "default"."""
DEAR = re.compile(r"^(notes?|comments?|tags?|remarks?|description|settings|labels?)$", re.IGNORECASE)
"""The names of fields that somebody wrote by hand."""


class Answers:
    """The answers of one provider to what it was asked since `forget`, and the records in them."""

    def __init__(self, provider: Any) -> None:
        self._said: list[str] = []
        self._again: tuple[str, Mapping[str, Any]] = ("", {})
        ask = getattr(provider, "_request", None)
        if ask is not None:

            def listening(*arguments: Any, **named: Any) -> Any:
                # Its base class says the address by position and the data by name, in each of its verbs.
                if "data" in named and len(arguments) > 1:
                    named["data"] = self._completed(str(arguments[1]), named["data"])
                answer = ask(*arguments, **named)
                self._hear(answer)
                return answer

            provider._request = listening

    @contextmanager
    def saying_again(self, identifier: str, others: Mapping[str, Any]) -> Iterator[None]:
        """Meanwhile, what is sent about the record also says what is dear of it: dns-lexicon would leave it out."""
        self._again = (identifier, dear(others))
        try:
            yield
        finally:
            self._again = ("", {})

    def _completed(self, url: str, data: Any) -> Any:
        identifier, again = self._again
        is_about_it = bool(identifier) and identifier in url.split("?", maxsplit=1)[0].split("/")
        return {**again, **data} if is_about_it and isinstance(data, Mapping) else data

    def _hear(self, answer: Any) -> None:
        with suppress(TypeError, ValueError):  # what is no JSON has nothing in it that could be read here
            self._said.append(json.dumps(answer))  # at once: providers work on what they were given

    def forget(self) -> None:
        """What was said so far."""
        self._said.clear()

    def others(self, listed: Iterable[Mapping[str, Any]]) -> Mapping[str, dict[str, Any]]:
        """By identifier, what the listed records carry besides: each field that isn't understood and says something."""
        by_value: dict[str, list[Mapping[str, Any]]] = {}
        for said in self._said:
            for entry in _objects(json.loads(said)):
                for value in {str(value) for value in entry.values() if isinstance(value, str | int)}:
                    by_value.setdefault(value, []).append(entry)
        found = {}
        for one in listed:
            identifier, content = str(one.get("id") or ""), normal(str(one["content"]))
            about = (it for it in by_value.get(identifier, ()) if content in {normal(str(v)) for v in it.values()})
            found[identifier] = _fields(next(about, {}), {identifier, content, normal(str(one["name"]))})
        return found


def _objects(answer: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in it."""
    if isinstance(answer, Mapping):
        yield answer
    if isinstance(answer, Mapping | list):
        for value in answer.values() if isinstance(answer, Mapping) else answer:
            yield from _objects(value)


def _fields(entry: Mapping[str, Any], understood: Set[str]) -> dict[str, Any]:
    return {
        field: value
        for field, value in entry.items()
        if field.lower() not in UNDERSTOOD
        and not VOLATILE.search(field)
        and value not in (None, "", [], {})
        and normal(str(value)) not in understood
    }


def policy(others: Mapping[str, Any]) -> str:
    """What makes a record with these fields one answer of several; empty: nothing, it answers everybody."""
    said = {field: value for field, value in others.items() if POLICIES.match(field) and not _is_usual(value)}
    return ", ".join(f"{field} {json.dumps(value, ensure_ascii=False)}" for field, value in sorted(said.items()))


def _is_usual(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_usual(one) for one in value)
    if isinstance(value, Mapping):
        return not value
    return str(value).lower() in USUAL


def dear(others: Mapping[str, Any]) -> Mapping[str, Any]:
    """What would be missed if the record were made anew: what people wrote, and a proxy that hides its target."""
    return {
        field: value
        for field, value in others.items()
        if (DEAR.match(field) and _says_something(value)) or (field.lower() == "proxied" and value is True)
    }


def _says_something(value: Any) -> bool:
    return any(value.values()) if isinstance(value, Mapping) else bool(value)
