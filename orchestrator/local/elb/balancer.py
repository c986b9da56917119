"""A load balancer that answers HTTPS: each active application load balancer of moto's, on an address of its own.

Where the system gives out all of 127.0.0.0/8 (Linux) every load balancer has its own 127.x.y.z, all on one port;
elsewhere (macOS) they share 127.0.0.1 and the host tells whose request it is. 127.0.0.1 always answers so. A load
balancer's DNS name is in `cloud.addresses` while it is active; when it is deleted its listener closes. Certificates are
issued by the cloud's own authority for the names of the ACM certificate and chosen by SNI; a load balancer without an
HTTPS listener refuses the handshake.

Left out: HTTP listeners (port 80) and all but one HTTPS listener; a network between it and its targets (each is asked
through `BalancerTarget.answer`, and checks its own health); failing open: with no healthy target it is always 503.
"""

from __future__ import annotations

import hashlib
import random
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import trustme

from orchestrator.local.core.cloud import Address, BalancerTarget, Cloud
from orchestrator.local.elb import listeners
from orchestrator.local.elb.listeners import Balancer, ListenerCertificate
from orchestrator.local.elb.routing import Forward, Respond, WebRequest, decide

SHARED = "127.0.0.1"
LOOK_SECONDS = 0.1
"""Real time between two looks at moto's load balancers."""
CLIENT_SECONDS = 30.0
"""A client that says nothing for so long is dropped."""


def start(cloud: Cloud) -> Callable[[], None]:
    """Listen for as long as there are load balancers; the port is `cloud.site_port`. Returns what stops it."""
    edge = OpenListeners(cloud)
    cloud.site_port = edge.port
    thread = threading.Thread(target=edge.watch, daemon=True)
    thread.start()

    def stop() -> None:
        edge.stopping.set()
        thread.join()
        edge.close()
        cloud.site_port = 0

    return stop


class OpenListeners:
    """All listeners of a cloud: the shared one, and one for each load balancer that has an address of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.stopping = threading.Event()
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._own: dict[str, _BalancerServer | None] = {}
        self._shared = _BalancerServer(self, SHARED, 0, None)
        self.port: int = self._shared.server_address[1]

    def watch(self) -> None:
        """Follow moto until told to stop."""
        while not self.stopping.wait(LOOK_SECONDS):
            try:
                self.follow()
            except Exception as error:  # noqa: BLE001 - moto changes its dictionaries while we read: look again
                self.cloud.log(f"balancer: {error!r}")

    def follow(self) -> None:
        """Open what is new, close what is gone."""
        balancers = {one.arn: one for one in listeners.active()}
        for arn in set(self._names) - set(balancers):
            self._forget(arn)
        for arn, balancer in balancers.items():
            if arn not in self._names:
                server = self._own[arn] = self._open(balancer)
                self._names[arn] = balancer.dns_name
                ip = server.server_address[0] if server else SHARED
                self.cloud.addresses.publish(balancer.dns_name, Address(str(ip), self.port))

    def _open(self, balancer: Balancer) -> _BalancerServer | None:
        """A listener of its own, or None: this system has only 127.0.0.1, or another process took the port there."""
        try:
            return _BalancerServer(self, own_address(balancer.dns_name), self.port, balancer.arn)
        except OSError as error:
            self.cloud.log(f"balancer: {balancer.dns_name} shares {SHARED}: {error}")
            return None

    def close(self) -> None:
        """Nothing listens, no name is published."""
        for arn in list(self._names):
            self._forget(arn)
        self._shared.close()

    def _forget(self, arn: str) -> None:
        """Once the name is gone, nothing listens there any more."""
        server = self._own.pop(arn)
        if server is not None:
            server.close()
        self.cloud.addresses.withdraw(self._names.pop(arn))

    def find(self, arn: str | None, host: str) -> Balancer | None:
        """The load balancer that is meant, as moto has it now: by its own address, else by the host."""
        balancers = listeners.active()
        if arn is None:
            return listeners.serving(balancers, host)
        return next((one for one in balancers if one.arn == arn), None)

    def context(self, certificate: ListenerCertificate) -> ssl.SSLContext:
        """The TLS side of a certificate; issued once for a set of names."""
        with self._lock:
            if certificate.domains not in self._contexts:
                issued = self.cloud.ca.issue_cert(*certificate.domains, common_name=certificate.domains[0][:64])
                self._contexts[certificate.domains] = _context(issued)
            return self._contexts[certificate.domains]


def own_address(dns_name: str) -> str:
    """An address of 127.64.0.0/10 for a name, the same each time: reserved for nothing and far from what others use."""
    digest = hashlib.sha256(dns_name.encode()).digest()
    return f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"


def _context(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    issued.configure_cert(context)
    return context


class _BalancerServer(ThreadingHTTPServer):
    """One listening address. `arn` is whose it is; None: shared by all."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, edge: OpenListeners, ip: str, port: int, arn: str | None) -> None:
        self.edge, self.arn = edge, arn
        super().__init__((ip, port), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sni_callback = self._choose
        # The handshake happens at the first read, in the request's own thread: a silent client stops nobody.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's name: that asks the world's DNS."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def _choose(self, connection: ssl.SSLObject, server_name: str | None, _context: ssl.SSLContext) -> int | None:
        balancer = self.edge.find(self.arn, server_name or "")
        certificate = balancer.listener.certificate(server_name) if balancer and balancer.listener else None
        if certificate is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.edge.context(certificate)
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """A client that broke off or did not trust us knows why; anything else is our defect and goes to the log."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.edge.cloud.log(f"balancer: {error!r}")

    def close(self) -> None:
        """Stop listening. Requests under way are finished by their threads."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request on one connection, then it closes: a deleted load balancer keeps nobody."""

    server: _BalancerServer
    timeout = CLIENT_SECONDS
    protocol_version = "HTTP/1.1"
    server_version = "awselb/2.0"
    sys_version = ""

    def _serve(self) -> None:
        self.close_connection = True
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        if self.server.edge.cloud.faults.active("waf-refuses"):
            self._answer(_page(HTTPStatus.FORBIDDEN))
            return
        balancer = self.server.edge.find(self.server.arn, host)
        if balancer is None or balancer.listener is None:
            self._answer(_page(HTTPStatus.SERVICE_UNAVAILABLE))
            return
        asked = WebRequest(host, url.path, url.query, self.command)
        decision = decide(balancer.listener.rules, asked)
        self._answer(_forwarded(self.server.edge.cloud, decision, asked) if isinstance(decision, Forward) else decision)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - BaseHTTPRequestHandler's names

    def _answer(self, response: Respond) -> None:
        body = response.body.encode()
        self.send_response(response.status)
        if response.location:
            self.send_header("Location", response.location)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Access logs are not kept."""


def _forwarded(cloud: Cloud, forward: Forward, asked: WebRequest) -> Respond:
    """The answer of one healthy target of the drawn target group."""
    groups, weights = zip(*forward.groups, strict=True)
    arn: str = random.choices(groups, weights)[0] if any(weights) else groups[0]
    healthy = [target for target in cloud.targets(arn) if target.state == "healthy"]
    if not healthy:
        return _page(HTTPStatus.SERVICE_UNAVAILABLE)
    return _ask(cloud, random.choice(healthy), asked)


def _ask(cloud: Cloud, target: BalancerTarget, asked: WebRequest) -> Respond:
    path = asked.path + (f"?{asked.query}" if asked.query else "")
    try:
        status, body = target.answer(asked.host, path)
    except Exception as error:  # noqa: BLE001 - whatever the target does, a load balancer says 502
        cloud.log(f"balancer: {target.ip}:{target.port}: {error!r}")
        return _page(HTTPStatus.BAD_GATEWAY)
    kind = "application/json" if body.lstrip().startswith(("{", "[")) else "text/html; charset=utf-8"
    return Respond(status, body, kind)


def _page(status: HTTPStatus) -> Respond:
    """What a load balancer says itself, in its own words (503 is "Service Temporarily Unavailable")."""
    phrase = "Service Temporarily Unavailable" if status == HTTPStatus.SERVICE_UNAVAILABLE else status.phrase
    title = f"{status.value} {phrase}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Respond(status.value, body, "text/html")
