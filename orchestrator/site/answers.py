"""Whether what a site answered is what a site that is up answers. Pure.

A WAF refuses everybody with 403, a login provider takes everybody by a redirect, a maintenance page says 200: each
answers over HTTPS, and none of them is the site.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from orchestrator.errors import Problem
from orchestrator.probe import Probe
from orchestrator.stack.contract import Healthy

SERVER_ERROR = 500
CODES = frozenset({"site-refuses", "site-redirects", "site-other-answer", "site-http-error"})
"""What `wrong` calls it."""
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
LONGEST_SHOWN = 80


def wrong(hostname: str, probe: Probe, expected: Healthy) -> Problem | None:
    """What is wrong with an answer; None: it is the expected one."""
    site = f"https://{hostname}{expected.path}"
    if _is_redirect(probe):
        return _redirected(site, hostname, probe, expected)
    if probe.status not in expected.statuses:
        return _other_status(site, probe, expected)
    if has_mark(probe.body, expected.mark):
        return None
    message = f"{site} answers with HTTP {probe.status}, but not with {expected.mark}: {_shown(probe.body)}"
    fix = "something else answers (the load balancer, a CDN): check its rules; or say what the right answer is, with "
    return Problem("site-other-answer", message, site, f"{fix}`health_path` and `health_mark` in the contract")


def _is_redirect(probe: Probe) -> bool:
    return 300 <= probe.status < 400 and bool(probe.location)


def _redirected(site: str, hostname: str, probe: Probe, expected: Healthy) -> Problem | None:
    """A redirect is right only where it is expected, and leads to the same name or to what the mark says."""
    target = urlsplit(probe.location)
    same = target.hostname in (None, hostname) and target.scheme in ("", "https")
    marked = bool(expected.mark) and not _members(expected.mark) and expected.mark in probe.location
    if probe.status in expected.statuses and (same or marked):
        return None
    where = probe.location if len(probe.location) <= LONGEST_SHOWN else f"{probe.location[:LONGEST_SHOWN]}…"
    message = f"{site} answers with HTTP {probe.status}: it redirects to {where}"
    fix = "let the path through without signing in, or name one that needs no login: `health_path` in the contract"
    return Problem("site-redirects", message, site, fix)


def _other_status(site: str, probe: Probe, expected: Healthy) -> Problem:
    wanted = " or ".join(map(str, expected.statuses))
    message = f"{site} answers with HTTP {probe.status}, not {wanted}"
    if probe.status in REFUSALS:
        fix = "a WAF or a login page refuses everybody: let this path through, or name another: `health_path`"
        return Problem("site-refuses", message, site, fix)
    if probe.status >= SERVER_ERROR:
        return Problem(
            "site-http-error", message, site, "look at the service's tasks and targets, and at its log group"
        )
    fix = "check the listener's rule for this host name, and `health_path` and `health_statuses` in the contract"
    return Problem("site-http-error", message, site, fix)


def has_mark(body: str, mark: str) -> bool:
    """Whether the answer bears the mark: the members of a JSON object, or a text."""
    wanted = _members(mark)
    if wanted is None:
        return mark in body
    said = _members(body)
    return said is not None and all(name in said and said[name] == value for name, value in wanted.items())


def _members(text: str) -> Mapping[str, Any] | None:
    """Of a JSON object; None: it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shown(body: str) -> str:
    """The beginning of an answer, on one line."""
    text = " ".join(body.split())
    return (text[:LONGEST_SHOWN] + "…" if len(text) > LONGEST_SHOWN else text) or "nothing"
