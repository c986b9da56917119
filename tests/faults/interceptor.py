"""Stands between a run and the world: every outside call passes through it, is counted, and may be the last one.

Installed in a process of the tests' own, never in the product. What passes: each HTTP request (AWS with botocore's
retries one by one, Porkbun, a visit to a site), each PostgreSQL connection and statement, each write of the record, of
the DNS history and of the lock. A script on the runner begins with `ssm:SendCommand` and ends, for us, with
`ssm:GetCommandInvocation`. Questions to DNS servers are left out: they only read, and each answer is a value.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from orchestrator.dns.history import History
from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.journal import Journal
from orchestrator.local.core.throttle import refusal
from tests.e2e.recorder import READS, action

CRASHES = ("kill-before", "kill-after")
LOST = ("timeout", "truncated")
"""Failures of a call that was made: only its answer is lost."""
FAILURES = ("throttled", "broken", "timeout", "reset", "truncated", "expired")
OURS = {"record", "history", "lock"}
LOOKS = {"record:write", "s3:GET", "site:visit", "sql:SELECT", "sql:connect"}
HTTP: Any = urllib3.connectionpool.HTTPConnectionPool
CONNECTION: Any = psycopg.Connection


@dataclass(frozen=True, slots=True)
class Injection:
    """What happens at the `at`th call of `what`, or of all where that is empty (0: nothing).

    One of `CRASHES` or `FAILURES`, or `defect`: an exception that nobody expects, with all arguments in its text.
    """

    at: int = 0
    kind: str = ""
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind} at {self.what or 'call'} {self.at}"

    def concerns(self, what: str) -> bool:
        """Whether such a call counts."""
        return self.what in ("", what)


@dataclass(frozen=True, slots=True)
class Call:
    """One outside call that was begun. `ended`: it was made, whatever became of its answer."""

    number: int
    what: str
    ended: bool


def calls(log: Path) -> list[Call]:
    """What a process's interceptor wrote down, in the order in which the calls began."""
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()] if log.exists() else []
    ended = {number for kind, number, *_ in lines if kind == "end"}
    return [Call(int(number), what[0], number in ended) for kind, number, *what in lines if kind == "begin"]


class Interceptor:
    """Counts, writes down (at once: a killed process keeps nothing), and injects. Safe from several threads."""

    def __init__(self, log: Path, injection: Injection) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._injection = injection
        self._count = 0
        self._matching = 0
        self._lock = threading.Lock()
        self._failing: set[str] = set()

    def intercept(
        self, what: str, do: Callable[[], Any], fail: Callable[[str], Any], key: str = "", given: object = ()
    ) -> Any:
        """Make the call `do`, unless something is injected first. `fail` fails it; `key` is the same for retries."""
        with self._lock:
            self._count += 1
            self._matching += self._injection.concerns(what)
            number, mine = self._count, self._injection.concerns(what) and self._matching == self._injection.at
            os.write(self._log, f"begin {number} {what}\n".encode())
        if mine and self._injection.kind == "kill-before":
            os.kill(os.getpid(), signal.SIGKILL)
        if mine and self._injection.kind == "defect":
            raise RuntimeError(f"a defect in {what}: {given!r}")
        if self._fails(what, key, mine=mine):
            if self._injection.kind in LOST:
                os.write(self._log, f"end {number}\n".encode())
            return fail(self._injection.kind)
        try:
            return do()
        finally:
            os.write(self._log, f"end {number}\n".encode())
            if mine and self._injection.kind == "kill-after":
                os.kill(os.getpid(), signal.SIGKILL)

    def _fails(self, what: str, key: str, *, mine: bool) -> bool:
        """All attempts of the call fail, whatever botocore retries; credentials that expired stay so."""
        if self._injection.kind not in FAILURES:
            return False
        if mine:
            self._failing.add("expired" if self._injection.kind == "expired" else key)
        return mine or bool(key and key in self._failing) or (is_aws(what) and "expired" in self._failing)


def is_aws(what: str) -> bool:
    """Whether a call is signed with AWS's credentials."""
    return what.partition(":")[0] not in {"porkbun", "site", "sql", *OURS}


def is_look(what: str) -> bool:
    """Whether it depends on the time how often a run makes such a call; each look that waits is recorded."""
    return bool(READS.search(what)) or what in LOOKS or what.startswith("porkbun:dns/retrieve")


def crashes_of(_what: str) -> tuple[str, ...]:
    """A process can die anywhere."""
    return CRASHES


def failures_of(what: str) -> tuple[str, ...]:
    """The ways in which such a call can fail: a file is full; PostgreSQL and sites have no throttling of AWS's."""
    kind = what.partition(":")[0]
    if kind in OURS:
        return ("broken",)
    if kind in {"sql", "site"}:
        return ("timeout", "reset")
    return FAILURES if is_aws(what) else FAILURES[:-1]


def install(interceptor: Interceptor) -> None:
    """From now on every outside call of this process passes the interceptor."""
    _http(interceptor)
    _postgresql(interceptor)
    _files(interceptor)


def _http(interceptor: Interceptor) -> None:
    urlopen = HTTP.urlopen

    def guarded(pool: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> Any:
        said = {str(name): _text(value) for name, value in (headers or {}).items()}
        what = _named(pool, method, url, said, body)

        def do() -> Any:
            return urlopen(pool, method, url, body=body, headers=headers, **more)

        def fail(kind: str) -> Any:
            return _fail_http(kind, pool, url, what, said, do)

        return interceptor.intercept(what, do, fail, said.get("amz-sdk-invocation-id", ""), (url, body, headers))

    HTTP.urlopen = guarded


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _named(pool: Any, method: str, url: str, headers: dict[str, str], body: Any) -> str:
    if isinstance(pool, urllib3.HTTPSConnectionPool):
        return "site:visit"
    if "_porkbun" in url:
        return f"porkbun:{url.partition('/v3/')[2]}"
    content = body if isinstance(body, bytes) else str(body or "").encode()
    called = action(method, url, headers, content)
    return called.replace(" ", "-")


def _fail_http(kind: str, pool: Any, url: str, what: str, headers: dict[str, str], do: Callable[[], Any]) -> Any:
    if kind == "reset":
        raise ProtocolError("Connection aborted.", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
    if kind == "timeout":
        _ = do().data
        raise ReadTimeoutError(pool, url, "Read timed out.")
    if kind == "truncated":
        answer = do()
        whole = answer.data + b"\n"
        lengths = {**answer.headers, "Content-Length": str(len(whole))}
        return _response(answer.status, lengths, whole[: len(whole) // 2])
    if kind == "broken" or not is_aws(what):
        body = b"<html><head><title>503 Service Unavailable</title></head></html>"
        return _response(500 if is_aws(what) else 503, {"Content-Type": "text/html"}, body)
    service = what.partition(":")[0]
    target, content = headers.get("X-Amz-Target", ""), headers.get("Content-Type", "")
    throttled = refusal(service, target=target, content_type=content)
    if kind == "throttled":
        return _response(throttled.status, {"Content-Type": throttled.content_type}, throttled.body)
    return _response(403, {"Content-Type": throttled.content_type}, _expired(throttled.body))


def _expired(throttled: bytes) -> bytes:
    """The same answer in the same protocol, but of credentials whose time has passed."""
    name = b"ExpiredTokenException" if throttled.startswith(b"{") else b"ExpiredToken"
    body = re.sub(rb"ThrottlingException|Throttling|RequestLimitExceeded|SlowDown", name, throttled)
    return body.replace(b"Rate exceeded", b"The security token included in the request is expired")


def _response(status: int, headers: Any, body: bytes) -> urllib3.HTTPResponse:
    return urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)


def _postgresql(interceptor: Interceptor) -> None:
    connect, execute = psycopg.connect, CONNECTION.execute

    def fail(kind: str) -> Any:
        raise psycopg.OperationalError(f"consuming input failed: server closed the connection unexpectedly ({kind})")

    def guarded_connect(*given: Any, **named: Any) -> Any:
        return interceptor.intercept("sql:connect", lambda: connect(*given, **named), fail, given=named)

    def guarded_execute(connection: Any, query: Any, *given: Any, **named: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        what = "-".join(text.split()[:2]) if text.split()[0] != "SELECT" else "SELECT"

        def lost(kind: str) -> Any:
            if kind in LOST:
                execute(connection, query, *given, **named)
            connection.close()
            fail(kind)

        return interceptor.intercept(f"sql:{what}", lambda: execute(connection, query, *given, **named), lost)

    psycopg.connect = guarded_connect
    CONNECTION.execute = guarded_execute


def _files(interceptor: Interceptor) -> None:
    for kind, owner, name in (
        ("record", Journal, "_write"),
        ("history", History, "_append"),
        ("lock", FileLock, "_write"),
        ("lock", FileLock, "give_back"),
    ):
        _guard(interceptor, owner, name, f"{kind}:{name.strip('_')}", fails=name == "_write")


def _guard(interceptor: Interceptor, owner: Any, name: str, what: str, *, fails: bool) -> None:
    made = getattr(owner, name)

    def guarded(self: Any, *given: Any, **named: Any) -> Any:
        def do() -> Any:
            return made(self, *given, **named)

        def fail(_kind: str) -> Any:
            if fails:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return do()

        return interceptor.intercept(what, do, fail)

    setattr(owner, name, guarded)
