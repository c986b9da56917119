"""What an application load balancer does with a request: pure functions of a listener's rules. No sockets, no moto.

Conditions: host-header and path-pattern (`*`, `?`), http-request-method. A rule with any other condition never matches.
Actions: forward (weighted), fixed-response, redirect, authenticate-oidc and -cognito. Nobody is ever signed in: who is
sent to a login provider does not come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request, as rules see it. `host` is without a port, `path` without the query."""

    host: str
    path: str
    query: str = ""
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A listener's rule; the default action is the rule with the last priority and no conditions."""

    priority: float
    conditions: tuple[Mapping[str, Any], ...]
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Forward:
    """Send it to one of the target groups: pairs of ARN and weight."""

    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer it here."""

    status: int
    body: str = ""
    content_type: str = "text/plain"
    location: str = ""


def decide(rules: Iterable[RoutingRule], asked: WebRequest) -> Forward | Respond:
    """What the first matching rule says. A listener always has a default action; without one it is a 404."""
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if all(holds(condition, asked) for condition in rule.conditions):
            return _act(rule.actions, asked)
    return Respond(404)


def names_host(rules: Iterable[RoutingRule], host: str) -> bool:
    """Whether a rule's host-header condition is met by the host."""
    asked = WebRequest(host, "/")
    conditions = [condition for rule in rules for condition in rule.conditions]
    return any(condition.get("Field") == "host-header" and holds(condition, asked) for condition in conditions)


def holds(condition: Mapping[str, Any], asked: WebRequest) -> bool:
    """Whether one of the condition's values fits. Hosts are compared without case, paths with."""
    match condition.get("Field"):
        case "host-header":
            return any(_fits(value.lower(), asked.host.lower()) for value in _values(condition, "HostHeaderConfig"))
        case "path-pattern":
            return any(_fits(value, asked.path) for value in _values(condition, "PathPatternConfig"))
        case "http-request-method":
            return asked.method in _values(condition, "HttpRequestMethodConfig")
    return False


def _values(condition: Mapping[str, Any], config: str) -> Sequence[str]:
    values: Sequence[str] = condition.get("Values") or condition.get(config, {}).get("Values", [])
    return values


def _fits(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _act(actions: Sequence[Mapping[str, Any]], asked: WebRequest) -> Forward | Respond:
    for action in sorted(actions, key=lambda action: int(action.get("Order") or 0)):
        match action.get("Type"):
            case "forward":
                return _forward(action)
            case "fixed-response":
                given = action["FixedResponseConfig"]
                body, content_type = given.get("MessageBody") or "", given.get("ContentType") or "text/plain"
                return Respond(int(given["StatusCode"]), body, content_type)
            case "redirect":
                return _redirect(action["RedirectConfig"], asked)
            case "authenticate-oidc" | "authenticate-cognito":
                found = _authenticate(action, asked)
                if found is not None:
                    return found
    return Respond(404)


def _authenticate(action: Mapping[str, Any], asked: WebRequest) -> Respond | None:
    """What a visitor without a session gets; None: the next action."""
    given = action.get("AuthenticateOidcConfig") or action.get("AuthenticateCognitoConfig") or {}
    match given.get("OnUnauthenticatedRequest") or "authenticate":
        case "allow":
            return None
        case "deny":
            return Respond(401, "<html><h1>401 Authorization Required</h1></html>", "text/html")
    provider = given.get("AuthorizationEndpoint") or f"https://{given.get('UserPoolDomain', '')}/oauth2/authorize"
    back = f"https%3A%2F%2F{asked.host}%2Foauth2%2Fidpresponse"
    client = given.get("ClientId") or given.get("UserPoolClientId", "")
    return Respond(302, location=f"{provider}?client_id={client}&redirect_uri={back}&response_type=code&scope=openid")


def _forward(action: Mapping[str, Any]) -> Forward:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    return Forward(tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups))


def _redirect(given: Mapping[str, Any], asked: WebRequest) -> Respond:
    known = {
        "#{protocol}": "HTTPS",
        "#{host}": asked.host,
        "#{port}": "443",
        "#{path}": asked.path.removeprefix("/"),
        "#{query}": asked.query,
    }

    def filled(name: str, default: str) -> str:
        return re.sub(r"#\{\w+\}", lambda found: known.get(found[0], found[0]), given.get(name) or default)

    protocol, port = filled("Protocol", "#{protocol}").lower(), filled("Port", "#{port}")
    usual = {"https": "443", "http": "80"}.get(protocol) == port
    query = filled("Query", "#{query}")
    location = f"{protocol}://{filled('Host', '#{host}')}{'' if usual else ':' + port}{filled('Path', '/#{path}')}"
    status = 301 if given.get("StatusCode") == "HTTP_301" else 302
    return Respond(status, location=location + (f"?{query}" if query else ""))
