"""A request of AWS asked of somebody else, as it is: what stands between a client and a cloud in tests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import urllib3
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

from orchestrator.local.core.wire import HttpAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

SECONDS = 120.0
"""For one answer."""
_OF_THE_WAY = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
"""Headers that are about one connection, not about what is asked."""
_WRAPPING = frozenset({"content-encoding", "content-length"})
"""Of an answer that is unwrapped here."""


class Whole(WSGIRequestHandler):
    """Sends head and body together: in two pieces, Terraform's provider takes some answers for broken off."""

    wbufsize = 65_536

    def handle_expect_100(self) -> bool:
        """The client waits for this one before it sends its body."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def log_request(self, *_: object) -> None:
        """Nobody reads it."""


def taken(environ: WSGIEnvironment) -> tuple[WSGIEnvironment, bytes]:
    """The request with its body, which can be read again."""
    body = Request(environ).get_data(cache=False)
    return {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}, body


def asked(pool: urllib3.PoolManager, endpoint: str, environ: WSGIEnvironment, body: bytes) -> HttpAnswer:
    """What `endpoint` (`https://HOST`) says to it. Raises urllib3's HTTPError."""
    said = pool.request(
        environ["REQUEST_METHOD"],
        f"{endpoint}{environ['REQUEST_URI']}",
        body=body,
        headers={name: value for name, value in Request(environ).headers if name.lower() not in _OF_THE_WAY},
        redirect=False,
        retries=False,
        timeout=SECONDS,
    )
    dropped = _OF_THE_WAY if environ["REQUEST_METHOD"] == "HEAD" else _OF_THE_WAY | _WRAPPING
    return HttpAnswer(
        said.status, {key: value for key, value in said.headers.items() if key.lower() not in dropped}, said.data
    )


@contextmanager
def serving(application: WSGIApplication, handler: type[WSGIRequestHandler] = Whole) -> Iterator[str]:
    """The application at `http://127.0.0.1:PORT`, which is given."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
