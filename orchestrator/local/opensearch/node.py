"""The node of one instance: OpenSearch's API over HTTP and TLS on a port of this machine, while its container runs.

As the image does it: TLS with a certificate of a demo authority that no client knows; Basic authentication of one user,
`admin`, whose password is that of the container's environment at the first start on an empty data folder, and stays so
whatever the environment says later; without an acceptable password it never serves. It takes its time to open the port,
and a little more until its security plugin is ready (503). What comes while it doesn't serve is cut off: the port
itself stays open here. Left out: other users, roles, client certificates, the transport port, memory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from orchestrator.local.opensearch.api import OpenSearchApi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ADMIN = "admin"
OPENS, READY = 20.0, 25.0
"""Seconds after its container's start until the port is open, and until the security plugin is ready."""
HANDSHAKE = 10.0
"""Real seconds a client may take to agree on TLS."""
_STRONG = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]", ".{8}")
"""What the image wants of the first password."""


@dataclass(frozen=True, slots=True)
class NodeSetup:
    """The container it is in. `started`: when (seconds since the epoch), another number for each start; None: it isn't.

    `scaled` makes AWS's seconds real ones.
    """

    folder: Path
    started: Callable[[], float | None]
    password: Callable[[], str | None]
    environment: Callable[[], Mapping[str, str]] = dict
    version: Callable[[], str] = lambda: "3.6.0"
    scaled: Callable[[float], float] = lambda seconds: seconds
    now: Callable[[], float] = time.time


class OpenSearchNode:
    """One node. It listens from the beginning, and serves while its container runs."""

    def __init__(self, setup: NodeSetup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._run: float | None = None
        self._api: OpenSearchApi | None = None
        self._server = _TlsServer(self._serves, self._answer)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, name="opensearch", daemon=True).start()

    def close(self) -> None:
        """It listens no more."""
        self._server.shutdown()
        self._server.server_close()

    def _age(self) -> float | None:
        """AWS's seconds since the start of its container, as real ones; None: that does not run."""
        started = self._setup.started()
        return None if started is None else self._setup.now() - started

    def _serves(self) -> bool:
        age = self._age()
        return age is not None and age >= self._setup.scaled(OPENS) and self._known() is not None

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # read in any case: what is left would be taken for the connection's next request
        with self._lock:
            response = self._response(request)
        return response(environ, start_response)

    def _response(self, request: Request) -> Response:
        age = self._age()
        if age is None or age < self._setup.scaled(READY):
            return Response("OpenSearch Security not initialized.", 503, content_type="text/plain")
        given = request.authorization
        if given is None or given.username != ADMIN or not self._matches(given.password or ""):
            asked = {"WWW-Authenticate": 'Basic realm="OpenSearch Security"'}
            return Response("Unauthorized", 401, asked, content_type="text/plain")
        status, said = self._current().answer(request)
        return Response(json.dumps(said), status, content_type="application/json; charset=UTF-8")

    def _current(self) -> OpenSearchApi:
        """Of this start of the container: what it had in memory alone is gone with the one before."""
        run = self._setup.started()
        if self._api is None or run != self._run:
            allowed = self._setup.environment().get("path.repo", "")
            self._run, self._api = (
                run,
                OpenSearchApi(self._setup.folder, self._setup.version(), allowed, time.monotonic),
            )
        return self._api

    def _known(self) -> str | None:
        """The digest of the admin's password in the security index, made of the environment's where there is none."""
        kept = self._setup.folder / "security.json"
        if not kept.exists():
            password = self._setup.password()
            if password is None or not all(re.search(one, password) for one in _STRONG):
                return None
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({ADMIN: _digest(password)}))
        return str(json.loads(kept.read_text())[ADMIN])

    def _matches(self, password: str) -> bool:
        return hmac.compare_digest(self._known() or "", _digest(password))


class OpenSearchNodes:
    """The nodes of a cloud, by instance. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, OpenSearchNode] = {}

    def node(self, instance: str, setup: Callable[[], NodeSetup]) -> OpenSearchNode:
        """The instance's; made when it is first asked for."""
        with self._lock:
            if instance not in self._all:
                self._all[instance] = OpenSearchNode(setup())
            return self._all[instance]


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


class _QuietHandler(WSGIRequestHandler):
    """Says nothing of each request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""


class _TlsServer(ThreadedWSGIServer):
    """TLS is agreed on in the connection's own thread: one silent client keeps nobody else waiting."""

    daemon_threads = True

    def __init__(self, serves: Callable[[], bool], application: Callable[..., Iterable[bytes]]) -> None:
        self._serves = serves
        self._context = _demo_context()
        super().__init__("127.0.0.1", 0, application, _QuietHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection, from its handshake to its end; cut off while the node does not serve."""
        if not self._serves():
            return
        request.settimeout(HANDSHAKE)
        try:
            encrypted = self._context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return  # it did not speak TLS, or not with this authority
        encrypted.settimeout(None)
        try:
            super().finish_request(encrypted, client_address)
        finally:
            with suppress(OSError):
                encrypted.shutdown(socket.SHUT_RDWR)
            encrypted.close()


@cache
def _demo_context() -> ssl.SSLContext:
    """The demo certificate of the image, by an authority of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = trustme.CA(organization_name="Example Com Inc.").issue_cert("node-0.example.com", "localhost")
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.private_key_and_cert_chain_pem.bytes())
        file.flush()
        context.load_cert_chain(file.name)
    return context
