"""Cloudflare's API (v4) as far as dns-lexicon asks it, over real HTTP. As strict as the original where it can hurt.

A PUT sets what it doesn't say to its default, a PATCH leaves it; a proxied record's TTL is 1; A and AAAA don't stand
beside a CNAME, nor two CNAMEs beside each other (other records may); identical records, TTLs from 2 to 59, bad
contents, names outside of the zone and wrong tokens are refused with Cloudflare's codes; `busy` answers 429. A record
carries times, tags, a comment, settings. Left out: everything but zones and records; the limit of 1,200 requests in
five minutes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from orchestrator.local.dns.authority import is_valid

TOKEN = "cf_token_canary"
ROUTES = Map(
    [
        Rule("/client/v4/zones", endpoint="zones", methods=["GET"]),
        Rule("/client/v4/zones/<zone>/dns_records", endpoint="records", methods=["GET", "POST"]),
        Rule("/client/v4/zones/<zone>/dns_records/<key>", endpoint="record", methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]
)
DEFAULTS: dict[str, Any] = {"proxied": False, "comment": None, "tags": [], "settings": {}, "ttl": 1}
PROXIABLE = {"A", "AAAA", "CNAME"}


class Refused(Exception):
    """With Cloudflare's own code."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass
class Cloudflare:
    """One account with one zone."""

    zone: str
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    busy: int = 0
    """How many of the next requests are too many."""
    refuses: str = ""
    """A type of record that it doesn't take any more (a plan's limit, say)."""
    forgets: frozenset[str] = frozenset()
    """Fields that a PATCH sets to their defaults too: a provider that keeps less than it promises."""
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def serve(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        given = json.loads(request.get_data() or b"{}")
        try:
            endpoint, arguments = ROUTES.bind("api.cloudflare.com").match(request.path, method=request.method)
            self._admit(request)
            handler: Callable[..., Any] = getattr(self, f"_{endpoint}")
            status, answer = 200, {"success": True, "errors": [], **handler(request, given, **arguments)}
        except Refused as refused:
            error = {"code": refused.code, "message": str(refused)}
            status, answer = refused.status, {"success": False, "errors": [error], "result": None}
        except HTTPException as error:
            status, answer = error.code or 500, {"success": False, "errors": [{"code": 7003, "message": "no route"}]}
        self.requests.append((request.method, request.path, status))
        return Response(json.dumps(answer), status, content_type="application/json")(environ, start_response)

    def _admit(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refused(10000, "Authentication error", 403)
        if self.busy:
            self.busy -= 1
            raise Refused(971, "Please wait and consider throttling your request speed", 429)

    def _zones(self, _request: Request, _given: Any) -> dict[str, Any]:
        return {"result": [{"id": "z1", "name": self.zone}], "result_info": {"page": 1, "total_pages": 1}}

    def _records(self, request: Request, given: Any, zone: str) -> dict[str, Any]:
        assert zone == "z1"
        if request.method == "POST":
            return {"result": self.write(given)}
        size, page = int(request.args.get("per_page", 100)), int(request.args.get("page", 1))
        found = list(self.held.values())
        info = {"page": page, "per_page": size, "total_pages": max(1, -(-len(found) // size))}
        return {"result": found[(page - 1) * size : page * size], "result_info": info}

    def _record(self, request: Request, given: Any, zone: str, key: str) -> dict[str, Any]:
        assert zone == "z1"
        if key not in self.held:
            raise Refused(81044, "Record does not exist.", 404)
        if request.method == "DELETE":
            return {"result": {"id": self.held.pop(key)["id"]}}
        if request.method == "GET":
            return {"result": self.held[key]}
        base = self.held[key] if request.method == "PATCH" else {}
        kept = {name: value for name, value in {**base, **given}.items() if name not in self.forgets}
        return {"result": self.write(kept, key)}

    def write(self, given: dict[str, Any], key: str = "") -> dict[str, Any]:
        """The record, made or replaced, unless Cloudflare would refuse it."""
        said = {name: value for name, value in given.items() if value is not None}
        wanted: dict[str, Any] = {**DEFAULTS, **said, "id": key or f"r{next(self.keys)}"}
        kind, content, name = wanted["type"], wanted["content"], str(wanted["name"]).lower().rstrip(".")
        if kind == self.refuses:
            raise Refused(81045, "Record quota exceeded.")
        if name != self.zone and not name.endswith(f".{self.zone}"):
            raise Refused(9000, "DNS name is invalid.")
        if kind not in {"TXT", "MX", "CAA", "NS"} and not is_valid(kind, content):
            raise Refused(9005, f"Content for {kind} record is invalid.")
        if wanted["ttl"] != 1 and not 60 <= wanted["ttl"] <= 86400:
            raise Refused(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        if wanted["proxied"] and kind not in PROXIABLE:
            raise Refused(9004, "This record type cannot be proxied.")
        wanted |= {"name": name, "ttl": 1 if wanted["proxied"] else wanted["ttl"], "proxiable": kind in PROXIABLE}
        self._require_room(wanted)
        wanted |= {"zone_id": "z1", "modified_on": f"2026-01-01T00:00:{len(self.requests):02}Z"}
        wanted.setdefault("created_on", wanted["modified_on"])
        self.held[wanted["id"]] = wanted
        return wanted

    def _require_room(self, wanted: dict[str, Any]) -> None:
        beside = [one for one in self.held.values() if one["name"] == wanted["name"] and one["id"] != wanted["id"]]
        if any((one["type"], one["content"]) == (wanted["type"], wanted["content"]) for one in beside):
            raise Refused(81058, "An identical record already exists.")
        kinds = {one["type"] for one in beside}
        if wanted["type"] == "CNAME" and kinds & PROXIABLE:
            raise Refused(81053, "An A, AAAA, or CNAME record with that host already exists.")
        if wanted["type"] in {"A", "AAAA"} and "CNAME" in kinds:
            raise Refused(81054, "A CNAME record with that host already exists.")
