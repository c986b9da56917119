"""The server: on this machine's loopback address alone, for whoever knows the token, and only to be read.

A page asks for nothing else and runs no script. The browser loads it again by itself.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from orchestrator.web.board import LiveBoard

HOST = "127.0.0.1"
AGAIN = 60
"""Seconds after which a browser loads a page again."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Refresh": str(AGAIN),
}


def application(board: LiveBoard, token: str) -> Starlette:
    """Its pages: all stacks, a stack's status, its last run. Whoever hasn't the token learns nothing."""

    def page(made: Callable[[str], str | None]) -> Callable[[Request], HTMLResponse]:
        def answer(request: Request) -> HTMLResponse:
            name = request.path_params.get("name", "")
            known = secrets.compare_digest(request.path_params["token"].encode(), token.encode())
            text = made(name) if known and (not name or name in board.names) else None
            if text is None:
                raise HTTPException(404)
            return HTMLResponse(text, headers=_HEADERS)

        return answer

    routes = [
        Route("/{token}/", page(lambda _name: board.overview())),
        Route("/{token}/{name}/", page(board.status)),
        Route("/{token}/{name}/run", page(board.last_run)),
    ]
    # Another site's page could else ask under a name of its own that leads here.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    return Starlette(routes=routes, middleware=[hosts])


def serve(board: LiveBoard, port: int, ready: Callable[[str], None]) -> None:
    """Until a signal asks to stop. `ready` is told the address. Raises OSError for a port that is taken."""
    token = secrets.token_urlsafe(24)
    with socket.create_server((HOST, port)) as listening:
        config = uvicorn.Config(application(board, token), log_level="error", access_log=False, lifespan="off")
        board.start()
        try:
            ready(f"http://{HOST}:{listening.getsockname()[1]}/{token}/")
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            board.stop()
