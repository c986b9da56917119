"""A door in front of the local cloud's AWS endpoint that remembers which calls came through, by `service:Action`."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import urllib3

_KEY = re.compile(r"Credential=([^/]+)/")
READS = re.compile(r":(Describe|Get|List|Filter|BatchGet|Simulate|HEAD)")
ROUTE53 = {("POST", "rrset"): "ChangeResourceRecordSets"}
"""Route 53 speaks REST; of its requests only this one writes, and the others are reads by their method."""


@dataclass
class Recorder:
    """What passed. `refusal`, when set, is answered instead of passing on (HTTP status and body, query protocol)."""

    upstream: str
    endpoint: str = ""
    calls: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    """The access keys that calls were signed with."""
    refusal: tuple[int, bytes] | None = None
    losing: set[str] = field(default_factory=set)
    """Of each of these calls the next one is passed on, and its answer is lost."""

    def forget(self) -> None:
        self.calls.clear()

    @property
    def changes(self) -> list[str]:
        """Calls that can change something, in their order."""
        return [call for call in self.calls if not READS.search(call)]


def action(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """`ecs:UpdateService`, `rds:DescribeDBInstances` …"""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
    service = scope[1] if scope else "unsigned"
    if "X-Amz-Target" in headers:
        return f"{service}:{headers['X-Amz-Target'].rpartition('.')[2]}"
    if "form-urlencoded" in headers.get("Content-Type", ""):
        return f"{service}:{parse_qs(body.decode()).get('Action', ['?'])[0]}"
    last = path.partition("?")[0].rstrip("/").rpartition("/")[2]
    return f"{service}:{ROUTE53.get((method, last)) or ('Get' if method == 'GET' else method)}"


def _handler(recorder: Recorder, http: urllib3.PoolManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            called = action(self.command, self.path, dict(self.headers), body)
            recorder.calls.append(called)
            if signed := _KEY.search(self.headers.get("Authorization", "")):
                recorder.keys.add(signed[1])
            if recorder.refusal:
                self._answer(recorder.refusal[0], {"Content-Type": "text/xml"}, recorder.refusal[1])
                return
            headers = dict(self.headers.items())  # Host too: a signature is for one host
            url = recorder.upstream + self.path
            seen = http.request(self.command, url, body=body, headers=headers, redirect=False, decode_content=False)
            if called in recorder.losing:
                recorder.losing.discard(called)
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._answer(seen.status, dict(seen.headers), seen.data)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass  # noqa: N815 - the base class's names

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing: standard error belongs to the test."""

    return Handler


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    recorder = Recorder(upstream)
    with urllib3.PoolManager(maxsize=32, retries=False, timeout=240) as http:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder, http))
        server.daemon_threads = True
        recorder.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)
