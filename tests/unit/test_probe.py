"""Real TLS: a throw-away authority, a server whose certificate is (not) for the name."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
import urllib3

from orchestrator.probe import LONGEST_BODY, HttpsProbe, Reached

Serve = Callable[[str, int], int]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
def serve(ca: trustme.CA) -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(certified: str, status: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.headers["Host"] != f"demo.vigilon.app:{port}":
                    self.send_error(421)
                    return
                self.send_response(status)
                self.send_header("Location", "https://demo.vigilon.app/auth/login")
                body = b'{"success":true}' + b" " * 50_000 if self.path == "/api/health" else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(certified).configure_cert(context)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port: int = server.server_port
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        return port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 307, 401, 404, 503])
def test_the_status_is_reported_and_redirects_are_not_followed(serve: Serve, ca_file: Path, status: int) -> None:
    probe = HttpsProbe(port=serve("demo.vigilon.app", status), ca_file=ca_file)("demo.vigilon.app", "127.0.0.1")
    assert (probe.reached, probe.status) == (Reached.ANSWERED, status)


def test_a_wildcard_certificate_is_valid(serve: Serve, ca_file: Path) -> None:
    probe = HttpsProbe(port=serve("*.vigilon.app", 200), ca_file=ca_file)("demo.vigilon.app", "127.0.0.1")
    assert probe.status == 200


def test_of_an_answer_its_beginning_and_of_a_redirect_its_goal(serve: Serve, ca_file: Path) -> None:
    probe = HttpsProbe(serve("demo.vigilon.app", 307), ca_file)("demo.vigilon.app", "127.0.0.1", "/api/health")
    assert (probe.body[:16], len(probe.body)) == ('{"success":true}', LONGEST_BODY)
    assert probe.location == "https://demo.vigilon.app/auth/login"


def test_a_listener_without_a_certificate_breaks_off(ca: trustme.CA, ca_file: Path) -> None:
    """As a load balancer does whose HTTPS listener is only just made: that passes."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("demo.vigilon.app").configure_cert(context)
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=_refuse, args=(context, listening))
        thread.start()
        probe = HttpsProbe(listening.getsockname()[1], ca_file)("demo.vigilon.app", "127.0.0.1")
        thread.join()
    assert probe.reached is Reached.TLS_REFUSED
    assert "unrecognized" in probe.detail.lower()


def _refuse(context: ssl.SSLContext, listening: socket.socket) -> None:
    client, _ = listening.accept()
    with pytest.raises(ssl.SSLError):
        context.wrap_socket(client, server_side=True)
    client.close()


def test_an_ipv6_address_without_ipv6_is_nobodys_fault(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("urllib3.util.connection.create_connection", unreachable)
    probe = HttpsProbe(443, ca_file)
    assert probe("demo.vigilon.app", "2001:db8::1").reached is Reached.NO_IPV6
    assert probe("demo.vigilon.app", "192.0.2.1").reached is Reached.UNREACHABLE


def test_a_certificate_for_another_name_is_invalid(serve: Serve, ca_file: Path) -> None:
    port = serve("customer-b.vigilon.app", 200)
    probe = HttpsProbe(port=port, ca_file=ca_file)("demo.vigilon.app", "127.0.0.1")
    assert probe.reached is Reached.TLS_INVALID
    assert "demo.vigilon.app" in probe.detail


def test_an_unknown_authority_is_invalid(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    probe = HttpsProbe(port=serve("demo.vigilon.app", 200))("demo.vigilon.app", "127.0.0.1")
    assert probe.reached is Reached.TLS_INVALID
    assert "certificate" in probe.detail


def test_nobody_listens(ca_file: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    probe = HttpsProbe(port=port, ca_file=ca_file)("demo.vigilon.app", "127.0.0.1")
    assert probe.reached is Reached.UNREACHABLE
    assert probe.detail


def test_a_server_that_says_nothing_is_given_up(ca_file: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        probe = HttpsProbe(silent.getsockname()[1], ca_file, urllib3.Timeout(0.1))("demo.vigilon.app", "127.0.0.1")
    assert probe.reached is Reached.UNREACHABLE
