"""What Terraform asks of AWS, heard on its way: a proxy of this machine that ends TLS, asks AWS the same, and notes it.

Terraform is told of it by HTTPS_PROXY, and of its authority by AWS_CA_BUNDLE; the names, and with them the signatures,
stay as they are. The authority's key is in this process only, and ends with it. Nobody but AWS is asked for anybody.
Where the environment names an endpoint (a local cloud), that is asked instead, by the same way.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import trustme
import urllib3

from orchestrator.local.core import wire
from tests import relay
from tests.smoke.recording import Record
from tests.smoke.shapes import Line, line

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True)
class Listener:
    """Passes each request on to `endpoint`, else to whom it is for, and writes its shape into the record."""

    record: Record
    endpoint: str | None
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        environ, body = relay.taken(environ)
        since = time.monotonic()
        answer = self._asked(environ, body)
        self.record.write(_told(environ, answer, time.monotonic() - since))
        return answer(environ, start_response)

    def _asked(self, environ: WSGIEnvironment, body: bytes) -> wire.HttpAnswer:
        host = environ["HTTP_HOST"]
        if not host.partition(":")[0].endswith(OF_AWS):
            return wire.HttpAnswer(403, {}, f"{host} is not of AWS".encode())
        try:
            return relay.asked(self.pool, self.endpoint or f"https://{host}", environ, body)
        except urllib3.exceptions.HTTPError as error:
            return wire.HttpAnswer(502, {}, f"{host} can't be asked: {error}".encode())


def _told(environ: WSGIEnvironment, answer: wire.HttpAnswer, seconds: float) -> Line:
    """Of what is no call that botocore knows, only the status."""
    call = wire.read(environ)
    if call is None:
        return {
            "by": "terraform",
            "call": "?",
            "request": {},
            "answer": {},
            "status": answer.status,
            "seconds": round(seconds, 3),
        }
    said = wire.result_of(call, answer) | {"ResponseMetadata": {"HTTPStatusCode": answer.status}}
    model: Any = call.model
    return line("terraform", model, call.parameters, said, seconds)


def _handler(ca: trustme.CA) -> type[relay.Whole]:
    @cache
    def context(host: str) -> ssl.SSLContext:
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(host).configure_cert(made)
        return made

    class Handler(relay.Whole):
        def do_CONNECT(self) -> None:  # noqa: N802 - as http.server wants it
            """From here on the connection is the host's, as far as the client knows."""
            self.send_response_only(200)
            self.end_headers()
            self.wfile.flush()
            self.connection = context(self.path.rpartition(":")[0]).wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb", self.rbufsize)
            self.wfile = self.connection.makefile("wb", self.wbufsize)
            self.close_connection = False

    return Handler


@contextmanager
def listening(record: Record, folder: Path, environ: Mapping[str, str], terraform: str) -> Iterator[str]:
    """A program that is `terraform`, and heard. The authority's certificate lies beside it."""
    ca = trustme.CA()
    with relay.serving(Listener(record, environ.get("AWS_ENDPOINT_URL")), _handler(ca)) as proxy:
        bundle, program = folder / "listener.pem", folder / "terraform-heard"
        ca.cert_pem.write_to_path(str(bundle))
        told = {"HTTPS_PROXY": proxy, "AWS_CA_BUNDLE": str(bundle), "CHECKPOINT_DISABLE": "1"}
        lines = [
            "#!/bin/sh",
            "unset AWS_ENDPOINT_URL NO_PROXY no_proxy https_proxy",
            *(f"export {name}={quote(value)}" for name, value in told.items()),
            f'exec {quote(terraform)} "$@"',
        ]
        program.write_text("\n".join([*lines, ""]))
        program.chmod(0o700)
        yield str(program)
