"""The double of Porkbun's DNS API (v3), with its habits: mounted at `/_porkbun`, it answers `…/api/json/v3/…`.

Habits: about one request a second per account, beyond a small burst 503 with an HTML page; errors are
`{"status": "ERROR", "message": …}` with 400; names are absolute in answers and relative in requests; ids and TTLs are
strings; all records come at once, but for Porkbun's own NS. Faults: `porkbun-edit-error`, `porkbun-error-200`,
`porkbun-not-opted-in`. A change is visible in the DNS at once. Left out: everything but ping, the domains' list and DNS
records (prices, editByNameType …). The account buys a domain by `PUT /_porkbun/domains/NAME` (not Porkbun's;
`?opted_in=no`, `?parked=no`).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from orchestrator.local.core.bucket import Bucket
from orchestrator.local.core.caller import OBSERVER
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.dns.authority import is_valid
from orchestrator.local.dns.registrar import TYPES, HostedRecord, RecordDraft, RefusedError, Registrar

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

BASE = "/api/json/v3"
BURST = 4
"""Requests at once before the limit bites; users report 3 to 20."""
REQUESTS_PER_SECOND = 1.0
"""Of AWS's time, or of real time where rates count in it (`--rates 1`)."""

UNAVAILABLE = (
    "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>openresty</center>\r\n"
    "</body>\r\n</html>\r\n"
)

ROUTES = Map(
    [
        Rule("/ping", endpoint="ping", methods=["POST"]),
        Rule("/domain/listAll", endpoint="domains", methods=["POST"]),
        Rule("/dns/retrieve/<domain>", endpoint="retrieve", methods=["POST"]),
        Rule("/dns/retrieve/<domain>/<record_id>", endpoint="retrieve", methods=["POST"]),
        Rule("/dns/retrieveByNameType/<domain>/<kind>", endpoint="by_name_type", methods=["POST"]),
        Rule("/dns/retrieveByNameType/<domain>/<kind>/<sub>", endpoint="by_name_type", methods=["POST"]),
        Rule("/dns/create/<domain>", endpoint="create", methods=["POST"]),
        Rule("/dns/edit/<domain>/<record_id>", endpoint="edit", methods=["POST"]),
        Rule("/dns/delete/<domain>/<record_id>", endpoint="delete", methods=["POST"]),
    ]
)


class ApiError(Exception):
    """Answered as `{"status": "ERROR", "message": …}`."""


def application(cloud: Cloud) -> Application:
    """The WSGI application; it takes its paths with or without the `/_porkbun` it is mounted at."""
    bucket = Bucket(BURST, REQUESTS_PER_SECOND, cloud.seconds_of_rates)

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()  # read in any case: what is left would be taken for the connection's next request
        response = _limited(cloud, bucket, request, body)
        return response(environ, start_response)

    return serve


def _limited(cloud: Cloud, bucket: Bucket, request: Request, body: bytes) -> Response:
    if request.method == "PUT":
        return _bought(cloud, request)
    observer = OBSERVER in request.headers.get("User-Agent", "")
    if not observer and not bucket.take():
        cloud.too_fast["porkbun"] += 1
        return Response(UNAVAILABLE, 503, content_type="text/html")
    try:
        _before, _base, path = request.path.partition(BASE)
        endpoint, arguments = ROUTES.bind("api.porkbun.com").match(path, method=request.method)
        answer = {"status": "SUCCESS", **_HANDLERS[endpoint](cloud, _authenticated(cloud, body), arguments)}
        return _json(answer, 200)
    except HTTPException as error:
        return Response(f"<html><body><h1>{error.code}</h1></body></html>", error.code, content_type="text/html")
    except ApiError as error:
        status = 200 if cloud.faults.active("porkbun-error-200") else 400
        return _json({"status": "ERROR", "message": str(error)}, status)


def _bought(cloud: Cloud, request: Request) -> Response:
    """The control path: a registered domain, afresh."""
    name = request.path.rpartition("/domains/")[2]
    switches = {switch: request.args.get(switch) != "no" for switch in ("opted_in", "parked")}
    domain = cloud.shared(Registrar).register(name, **switches)
    return _json({"domain": domain.name, "opted_in": domain.opted_in}, 200)


def _json(answer: Mapping[str, Any], status: int) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json")


def _authenticated(cloud: Cloud, body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("Invalid JSON.") from None
    if not isinstance(given, dict):
        raise ApiError("Invalid JSON.")
    if not given.get("apikey") or not given.get("secretapikey"):
        raise ApiError("All requests require an API key and a secret API key.")
    key = hmac.compare_digest(str(given["apikey"]).encode(), cloud.porkbun_key.encode())
    secret = hmac.compare_digest(str(given["secretapikey"]).encode(), cloud.porkbun_secret.encode())
    if not key or not secret:
        raise ApiError("Invalid API key. (001)")
    return given


def _domain(cloud: Cloud, arguments: Mapping[str, str]) -> str:
    domain = cloud.shared(Registrar).find(arguments["domain"])
    if domain is None:
        raise ApiError("Invalid domain.")
    if not domain.opted_in:
        raise ApiError("Domain is not opted in to API access.")
    return domain.name


def _ping(_cloud: Cloud, _given: Mapping[str, Any], _arguments: Mapping[str, str]) -> dict[str, Any]:
    return {"yourIp": "127.0.0.1"}


def _domains(cloud: Cloud, given: Mapping[str, Any], _arguments: Mapping[str, str]) -> dict[str, Any]:
    """A thousand at a time, from `start`; the switch "API ACCESS" hides none here."""
    start = int(given.get("start") or 0)
    names = sorted(domain.name for domain in cloud.shared(Registrar).domains())
    return {"domains": [{"domain": name, "status": "ACTIVE"} for name in names[start : start + 1000]]}


def _retrieve(cloud: Cloud, _given: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    wanted = arguments.get("record_id")
    domain = _domain(cloud, arguments)
    records = [record for record in cloud.shared(Registrar).records(domain) if not _is_porkbuns_own(record, domain)]
    shown = [_shown(record) for record in records if wanted in (None, record.id)]
    return {"cloudflare": "enabled", "records": shown}


def _is_porkbuns_own(record: HostedRecord, domain: str) -> bool:
    """The API doesn't list the SOA, nor the domain's NS records while they are Porkbun's."""
    return (record.name, record.type) == (domain, "NS") and record.content.endswith(".ns.porkbun.com")


def _by_name_type(cloud: Cloud, _given: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    domain = _domain(cloud, arguments)
    sub, kind = arguments.get("sub", ""), arguments["kind"].upper()
    name = f"{sub}.{domain}".lower() if sub else domain
    records = cloud.shared(Registrar).records(domain)
    return {"records": [_shown(record) for record in records if (record.name, record.type) == (name, kind)]}


def _create(cloud: Cloud, given: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    domain = _domain(cloud, arguments)
    try:
        return {"id": cloud.shared(Registrar).create(domain, _draft(given, "Create")).id}
    except RefusedError as error:
        raise ApiError(str(error)) from None


def _edit(cloud: Cloud, given: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    domain = _domain(cloud, arguments)
    try:
        cloud.shared(Registrar).edit(domain, arguments["record_id"], _draft(given, "Edit"))
    except RefusedError as error:
        raise ApiError(str(error)) from None
    except KeyError:
        raise ApiError("Invalid record ID.") from None
    if cloud.faults.active("porkbun-edit-error"):
        raise ApiError("Edit error: We were unable to edit the DNS record.")
    return {}


def _delete(cloud: Cloud, _given: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
    domain = _domain(cloud, arguments)
    try:
        cloud.shared(Registrar).delete(domain, arguments["record_id"])
    except KeyError:
        raise ApiError("Invalid record ID.") from None
    return {}


Handler = Callable[[Cloud, Mapping[str, Any], Mapping[str, str]], dict[str, Any]]
_HANDLERS: dict[str, Handler] = {
    "ping": _ping,
    "domains": _domains,
    "retrieve": _retrieve,
    "by_name_type": _by_name_type,
    "create": _create,
    "edit": _edit,
    "delete": _delete,
}


def _draft(given: Mapping[str, Any], verb: str) -> RecordDraft:
    kind, content = str(given.get("type", "")).upper(), str(given.get("content", ""))
    if kind not in TYPES:
        raise ApiError("Invalid type.")
    try:
        ttl, prio = int(given.get("ttl") or 0), int(given.get("prio") or 0)
    except ValueError:
        raise ApiError(f"{verb} error: TTL and priority must be numbers.") from None
    value = f"{prio} {content}" if kind in {"MX", "SRV"} else content
    if not content or (kind != "TXT" and not is_valid(kind, value)):
        raise ApiError(f"{verb} error: We were unable to {verb.lower()} the DNS record.")
    return RecordDraft(str(given.get("name") or ""), kind, content, ttl, prio, str(given.get("notes") or ""))


def _shown(record: HostedRecord) -> dict[str, str]:
    return {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "content": record.content,
        "ttl": str(record.ttl),
        "prio": str(record.prio),
        "notes": record.notes,
    }
