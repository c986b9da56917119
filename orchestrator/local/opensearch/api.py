"""OpenSearch's REST API, as far as health, indexes, documents by id and by search, their number and snapshots go.

Refused as by the original: an index, document, scroll or snapshot that is not there (404), one that is there already
(400), writing into what is read-only (429), a method (405) or a path (400) that nothing has, a body that is not JSON.
Left out: everything else (clusters of several nodes, aliases, templates, pipelines, aggregations, security's own API).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.wrappers import Request

from orchestrator.local.opensearch.bulk import STATUSES, bulk
from orchestrator.local.opensearch.indexes import Indexes
from orchestrator.local.opensearch.refusals import OpenSearchRefusal, illegal
from orchestrator.local.opensearch.searches import Searches
from orchestrator.local.opensearch.snapshots import OpenSearchSnapshots

Answer = tuple[int, Any]
"""Status, and what is said: JSON, or text."""
_EVERY = "_all"


class IndexExpression(BaseConverter):
    """Names of indexes: OpenSearch's own paths begin with an underscore, no index does."""

    regex = "(?:_all|[^/_][^/]*)"


ROUTES = Map(
    [
        Rule("/", endpoint="root", methods=["GET"]),
        Rule("/_cluster/health", endpoint="health", methods=["GET"]),
        Rule("/_cat/indices", endpoint="list", methods=["GET"]),
        Rule("/_cat/allocation", endpoint="disk", methods=["GET"]),
        Rule("/_bulk", endpoint="bulk", methods=["POST", "PUT"]),
        Rule("/_search/scroll", endpoint="scroll", methods=["GET", "POST"]),
        Rule("/_search", endpoint="search", methods=["GET", "POST"]),
        Rule("/_count", endpoint="count", methods=["GET", "POST"]),
        Rule("/_refresh", endpoint="refresh", methods=["GET", "POST"]),
        Rule("/_snapshot/<repository>", endpoint="register", methods=["PUT", "POST"]),
        Rule("/_snapshot/<repository>/<name>", endpoint="take", methods=["PUT", "POST"]),
        Rule("/_snapshot/<repository>/<name>", endpoint="kept", methods=["GET"]),
        Rule("/_snapshot/<repository>/<name>", endpoint="forget", methods=["DELETE"]),
        Rule("/_snapshot/<repository>/<name>/_restore", endpoint="restore", methods=["POST"]),
        Rule("/<index:index>", endpoint="create", methods=["PUT"]),
        Rule("/<index:index>", endpoint="index", methods=["GET"]),
        Rule("/<index:index>", endpoint="delete", methods=["DELETE"]),
        Rule("/<index:index>/_settings", endpoint="configure", methods=["PUT"]),
        Rule("/<index:index>/_bulk", endpoint="bulk", methods=["POST", "PUT"]),
        Rule("/<index:index>/_doc", endpoint="write", methods=["POST"]),
        Rule("/<index:index>/_doc/<key>", endpoint="write", methods=["PUT", "POST"]),
        Rule("/<index:index>/_create/<key>", endpoint="write_new", methods=["PUT", "POST"]),
        Rule("/<index:index>/_doc/<key>", endpoint="get", methods=["GET"]),
        Rule("/<index:index>/_doc/<key>", endpoint="remove", methods=["DELETE"]),
        Rule("/<index:index>/_search", endpoint="search", methods=["GET", "POST"]),
        Rule("/<index:index>/_count", endpoint="count", methods=["GET", "POST"]),
        Rule("/<index:index>/_refresh", endpoint="refresh", methods=["GET", "POST"]),
    ],
    converters={"index": IndexExpression},
)


class OpenSearchApi:
    """What one node answers to whoever may ask it."""

    def __init__(self, folder: Path, version: str, allowed: str, now: Callable[[], float]) -> None:
        self._version = version
        self._folder = folder
        self._indexes = Indexes(folder, now)
        self._searches = Searches(self._indexes)
        self._snapshots = OpenSearchSnapshots(folder, self._indexes, allowed)
        self._handlers: Mapping[str, Callable[[Request, Mapping[str, str]], Answer]] = {
            "root": self._root,
            "health": self._health,
            "list": self._list,
            "disk": lambda _request, _given: (200, [{"disk.percent": f"{self._indexes.disk:.0f}", "node": "node-1"}]),
            "bulk": self._bulk,
            "scroll": lambda request, _given: (200, self._searches.scroll(_body(request).get("scroll_id", ""))),
            "search": self._search,
            "count": lambda request, given: (200, self._searches.count(given.get("index", _EVERY), _body(request))),
            "refresh": self._refresh,
            "register": self._register,
            "take": self._take,
            "kept": lambda _request, given: (200, self._snapshots.shown(given["repository"], given["name"])),
            "forget": self._forget,
            "restore": self._restore,
            "create": self._create,
            "index": self._index,
            "delete": self._delete,
            "configure": self._configure,
            "write": self._write,
            "write_new": self._write,
            "get": self._get,
            "remove": self._remove,
        }

    def answer(self, request: Request) -> Answer:
        """To one request."""
        try:
            endpoint, given = ROUTES.bind("node").match(request.path, method=request.method)
            status, said = self._handlers[endpoint](request, given)
            if request.args.get("refresh") in {"", "true", "wait_for"}:
                self._refreshed(given.get("index", _EVERY))
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"}))
            said = f"Incorrect HTTP method for uri [{request.path}] and method [{request.method}], allowed: [{allowed}]"
            return 405, {"error": said, "status": 405}
        except HTTPException:
            return 400, {"error": f"no handler found for uri [{request.path}] and method [{request.method}]"}
        except OpenSearchRefusal as refusal:
            return refusal.status, refusal.body
        return status, said

    def _root(self, _request: Request, _given: Mapping[str, str]) -> Answer:
        version = {"distribution": "opensearch", "number": self._version}
        tagline = "The OpenSearch Project: https://opensearch.org/"
        return 200, {"name": "node-1", "cluster_name": "docker-cluster", "version": version, "tagline": tagline}

    def _health(self, _request: Request, _given: Mapping[str, str]) -> Answer:
        """On one node: yellow where an index wants replicas, red where a file says that a shard is damaged."""
        known = list(self._indexes)
        unassigned = sum(one.replicas for one in known)
        damaged = (self._folder / "shard.damaged").exists()
        colour = "red" if damaged else "yellow" if unassigned else "green"
        counts = {"number_of_nodes": 1, "number_of_data_nodes": 1, "active_primary_shards": len(known) - damaged}
        shards = {"active_shards": len(known) - damaged, "unassigned_shards": unassigned + damaged}
        return 200, {"cluster_name": "docker-cluster", "status": colour, "timed_out": False, **counts, **shards}

    def _list(self, _request: Request, _given: Mapping[str, str]) -> Answer:
        return 200, [
            {"index": one.name, "status": "open", "uuid": one.uid, "docs.count": str(len(one.found))}
            for one in self._indexes
        ]

    def _bulk(self, request: Request, given: Mapping[str, str]) -> Answer:
        return 200, bulk(self._indexes, request.get_data(as_text=True), given.get("index"))

    def _search(self, request: Request, given: Mapping[str, str]) -> Answer:
        sized = {name: request.args[name] for name in ("size", "from") if name in request.args}
        body = {**_body(request), **sized}
        return 200, self._searches.search(given.get("index", _EVERY), body, scroll="scroll" in request.args)

    def _refresh(self, _request: Request, given: Mapping[str, str]) -> Answer:
        self._refreshed(given.get("index", _EVERY))
        return 200, {"_shards": {"total": 1, "successful": 1, "failed": 0}}

    def _refreshed(self, expression: str) -> None:
        for one in self._indexes.named(expression):
            one.refresh()

    def _register(self, request: Request, given: Mapping[str, str]) -> Answer:
        self._snapshots.register(given["repository"], _body(request))
        return 200, {"acknowledged": True}

    def _take(self, request: Request, given: Mapping[str, str]) -> Answer:
        wanted = _body(request).get("indices", _EVERY)
        taken = self._snapshots.take(given["repository"], given["name"], wanted)
        return 200, taken if request.args.get("wait_for_completion") == "true" else {"accepted": True}

    def _forget(self, _request: Request, given: Mapping[str, str]) -> Answer:
        self._snapshots.delete(given["repository"], given["name"])
        return 200, {"acknowledged": True}

    def _restore(self, request: Request, given: Mapping[str, str]) -> Answer:
        wanted = _body(request).get("indices", _EVERY)
        return 200, self._snapshots.restore(given["repository"], given["name"], wanted)

    def _create(self, request: Request, given: Mapping[str, str]) -> Answer:
        body = _body(request)
        self._indexes.create(given["index"], body.get("settings", {}), body.get("mappings", {}))
        return 200, {"acknowledged": True, "shards_acknowledged": True, "index": given["index"]}

    def _index(self, _request: Request, given: Mapping[str, str]) -> Answer:
        found = self._indexes.named(given["index"])
        return 200, {one.name: {"settings": one.settings, "mappings": one.mappings, "aliases": {}} for one in found}

    def _delete(self, _request: Request, given: Mapping[str, str]) -> Answer:
        for one in self._indexes.named(given["index"]):
            self._indexes.delete(one.name)
        return 200, {"acknowledged": True}

    def _configure(self, request: Request, given: Mapping[str, str]) -> Answer:
        for one in self._indexes.named(given["index"]):
            self._indexes.configure(one.name, _body(request))
        return 200, {"acknowledged": True}

    def _write(self, request: Request, given: Mapping[str, str]) -> Answer:
        new = "/_create/" in request.path or request.args.get("op_type") == "create"
        name = given["index"]
        key, result = self._indexes.write(name, given.get("key"), _body(request), only_new=new)
        self._indexes.keep({name})
        version = self._indexes.one(name).documents[key].version
        return STATUSES[result], {"_index": name, "_id": key, "_version": version, "result": result}

    def _get(self, _request: Request, given: Mapping[str, str]) -> Answer:
        index, key = self._indexes.one(given["index"]), given["key"]
        there = index.documents.get(key)
        if there is None:
            return 404, {"_index": index.name, "_id": key, "found": False}
        shown = {"_version": there.version, "_seq_no": there.number, "found": True, "_source": there.source}
        return 200, {"_index": index.name, "_id": key, **shown}

    def _remove(self, _request: Request, given: Mapping[str, str]) -> Answer:
        index = self._indexes.one(given["index"])
        key, result = self._indexes.write(index.name, given["key"], None)
        self._indexes.keep({index.name})
        return STATUSES[result], {"_index": index.name, "_id": key, "result": result}


def _body(request: Request) -> Mapping[str, Any]:
    text = request.get_data(as_text=True)
    if not text:
        return {}
    if request.mimetype not in {"application/json", "application/x-ndjson", ""}:
        raise OpenSearchRefusal(
            406, "media_type_header_exception", f"Content-Type header [{request.mimetype}] is not supported"
        )
    try:
        said = json.loads(text)
    except ValueError as error:
        raise OpenSearchRefusal(400, "parse_exception", f"Failed to parse content to map: {error}") from None
    if not isinstance(said, Mapping):
        raise illegal("request body must be a JSON object")
    return said
