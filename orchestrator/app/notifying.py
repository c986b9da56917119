"""Sends the notices of `[notify]`. Nothing here raises: one that can't be delivered is reported, and fails no run."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3

from orchestrator.errors import Problem
from orchestrator.notices.table import NoticeTargets
from orchestrator.probe import unheard
from orchestrator.render.notice import RunNotice, as_json, as_slack
from orchestrator.terraform.process import hand_over

TIMEOUT = urllib3.Timeout(connect=3, read=5)
COMMAND_SECONDS = 10.0
TIME_HEADER = "X-Orchestrate-Time"
SIGNATURE_HEADER = "X-Orchestrate-Signature"


def notify(
    notice: RunNotice, to: NoticeTargets, *, now: datetime, directory: Path, environment: Mapping[str, str]
) -> Iterator[Problem]:
    """Tell each, and give what went wrong. Neither an address nor an answer is in it: both may be secrets."""
    for name in to.missing:
        yield _missed("a notice was not sent", f"the variable {name} that [notify] names is not set", f"set {name}")
    if to.webhook:
        body = json.dumps(as_json(notice), ensure_ascii=False).encode()
        signed = signature(to.webhook_key, body, now) if to.webhook_key else {}
        yield from _post("webhook", to.webhook, body, signed)
    if to.slack:
        yield from _post("slack", to.slack, json.dumps(as_slack(notice), ensure_ascii=False).encode(), {})
    if to.command:
        yield from _run(to.command, as_json(notice), directory, environment)


def signature(key: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers by which a receiver knows whose it is, and that it is new: HMAC-SHA256 of `TIME.BODY`, as hex."""
    at = str(int(now.timestamp()))
    digest = hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIME_HEADER: at, SIGNATURE_HEADER: f"sha256={digest}"}


def _post(what: str, url: str, body: bytes, signed: Mapping[str, str]) -> Iterator[Problem]:
    headers = {"Content-Type": "application/json", "User-Agent": "orchestrate", **signed}
    fix = f"correct `{what}` under [notify] in orchestrate.toml, or check the service that receives it"
    try:
        with urllib3.PoolManager(timeout=TIMEOUT, retries=False) as pool:
            status = pool.request("POST", url, body=body, headers=headers, redirect=False).status
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        yield _missed(f"the {what} notice was not delivered", unheard(error), fix)
        return
    if not 200 <= status < 300:
        yield _missed(f"the {what} notice was rejected", f"HTTP {status}", fix)


def _run(
    command: tuple[str, ...], said: Mapping[str, Any], directory: Path, environment: Mapping[str, str]
) -> Iterator[Problem]:
    fix = "correct `command` under [notify] in orchestrate.toml"
    what = f"the notice command {command[0]!r} failed"
    try:
        text = json.dumps(said, ensure_ascii=False)
        status = hand_over(command, directory=directory, environment=environment, text=text, seconds=COMMAND_SECONDS)
    except OSError as error:
        yield _missed(what, str(error.strerror), fix)
        return
    if status != 0:
        yield _missed(what, f"still running after {COMMAND_SECONDS:g} s" if status is None else f"status {status}", fix)


def _missed(what: str, why: str, fix: str) -> Problem:
    return Problem("notice-not-delivered", f"{what}: {why}", "", fix)
