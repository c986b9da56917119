"""The control API of a local cloud, `/_local/…` on the AWS endpoint: status, env, calls, audit, faults, speed. JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, Conflict, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from orchestrator.errors import OrchestratorError, correction
from orchestrator.local.core import cloud as world
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.environment import environment
from orchestrator.local.faults import catalogue
from orchestrator.local.iam.audit import Audit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROUTES = Map(
    [
        Rule("/_local/status", endpoint="status", methods=["GET"]),
        Rule("/_local/env", endpoint="env", methods=["GET"]),
        Rule("/_local/audit", endpoint="audit", methods=["GET"]),
        Rule("/_local/calls", endpoint="calls", methods=["GET"]),
        Rule("/_local/speed", endpoint="speed", methods=["POST"]),
        Rule("/_local/faults", endpoint="faults", methods=["GET"]),
        Rule("/_local/faults", endpoint="inject", methods=["POST"]),
        Rule("/_local/faults", endpoint="clear", methods=["DELETE"]),
    ]
)


def status(cloud: Cloud) -> dict[str, Any]:
    """What runs, for a person and for tests."""
    return {
        "name": cloud.name,
        "pid": os.getpid(),
        "endpoint": cloud.endpoint,
        "region": world.REGION,
        "account": world.ACCOUNT,
        "speed": cloud.pace.speed,
        "resolver": cloud.resolver,
        "site_port": cloud.site_port,
        "addresses": {name: f"{found.ip}:{found.port}" for name, found in sorted(cloud.addresses.all().items())},
        "faults": _active(cloud),
        "calls": dict(cloud.calls),
        "too_fast": dict(cloud.too_fast),
    }


def _active(cloud: Cloud) -> list[dict[str, str]]:
    return [{"fault": name, "tenant": tenant} for name, tenant in sorted(cloud.faults.all())]


def _known(name: str) -> str:
    if name not in catalogue():
        raise BadRequest(f"no fault {name!r}; {correction(name, catalogue(), 'faults')}")
    return name


def inject(cloud: Cloud, name: str, tenant: str) -> None:
    """The fault is felt from now on."""
    fault = catalogue()[_known(name)]
    if tenant and not fault.per_tenant:
        raise BadRequest(f"the fault {name!r} affects no single tenant: leave out --tenant")
    cloud.faults.switch_on(name, tenant)
    try:
        fault.inject(cloud, tenant)
    except OrchestratorError as error:
        cloud.faults.switch_off(name, tenant)
        raise Conflict(str(error)) from error
    cloud.log(f"fault {name} on, tenant {tenant or 'all'}")


def clear(cloud: Cloud, name: str, tenant: str) -> None:
    """The fault, or every fault when no name is given, is not felt any more."""
    wanted = [pair for pair in sorted(cloud.faults.all()) if not name or pair[0] == _known(name)]
    for active, whom in wanted:
        if tenant in ("", whom):
            cloud.faults.switch_off(active, whom)
            try:
                catalogue()[active].clear(cloud, whom)
            except OrchestratorError as error:
                raise Conflict(str(error)) from error
            cloud.log(f"fault {active} off, tenant {whom or 'all'}")


def _go_at(cloud: Cloud, speed: str) -> dict[str, float]:
    """From the next delay on AWS's seconds are divided by another number; delays under way end as they began."""
    try:
        cloud.pace.go_at(float(speed))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return {"speed": cloud.pace.speed}


def _answer(cloud: Cloud, endpoint: str, request: Request) -> object:
    if endpoint == "status":
        return status(cloud)
    if endpoint == "env":
        return environment(cloud)
    if endpoint == "audit":
        return [asdict(one) | {"calls": calls} for one, calls in sorted(cloud.shared(Audit).all().items())]
    if endpoint == "calls":
        return cloud.record.all()
    if endpoint == "speed":
        return _go_at(cloud, request.args.get("speed", ""))
    if endpoint == "faults":
        known = [{"fault": fault.name, "title": fault.title, "guide": fault.guide} for fault in catalogue().values()]
        return {"known": known, "active": _active(cloud)}
    change: Callable[[Cloud, str, str], None] = inject if endpoint == "inject" else clear
    change(cloud, request.args.get("name", ""), request.args.get("tenant", ""))
    return {"active": _active(cloud)}


def application(cloud: Cloud) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The WSGI application."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            endpoint, _ = ROUTES.bind_to_environ(environ).match()
            response = Response(json.dumps(_answer(cloud, endpoint, Request(environ))), mimetype="application/json")
        except HTTPException as error:
            refusal = json.dumps({"error": error.description})
            response = Response(refusal, status=error.code, mimetype="application/json")
        return response(environ, start_response)

    return answer
