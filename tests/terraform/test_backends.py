"""Where a state can be, beside files and S3: in PostgreSQL, and with a server that speaks Terraform's HTTP backend.

Whoever else uses the state is told from its lock; a lock of ours has no place there, so one has to be named.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest

from orchestrator.errors import Invalid
from orchestrator.local.endpoint import daemon
from orchestrator.local.rds import postgres
from orchestrator.terraform import StateLocked, Terraform
from orchestrator.terraform.lock_places import lock_of
from tests.terraform.offline import environment, on_both

__all__ = ["environment"]  # a fixture
pytestmark = pytest.mark.terraform

PASSWORD = "correct-horse-battery"
CONFIGURATION = """
terraform {{
  backend "{kind}" {{}}
}}

resource "terraform_data" "x" {{
  input = "one"
}}

output "x" {{
  value = terraform_data.x.output
}}
"""


@dataclass
class Place:
    """`settings`: the backend's, as its own variables. `lock`: as somebody else would hold it."""

    kind: str
    settings: Mapping[str, str]
    lock: threading.Event = field(default_factory=threading.Event)
    session: psycopg.Connection | None = None

    def hold(self) -> None:
        """Somebody else holds the state's lock."""
        self.lock.set()
        if self.session:
            (state,) = self.session.execute("SELECT id FROM terraform_remote_state.states").fetchone() or ()
            self.session.execute("SELECT pg_advisory_lock(%s)", (state,))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with TLS of its own."""
    servers = postgres.PostgresServers(daemon.make(tmp_path_factory.mktemp("state"), "test", 300))
    try:
        address = servers.create("state", "state.example.com", master="root", password=PASSWORD, database="states")
        yield f"postgres://root:{PASSWORD}@{address.ip}:{address.port}/states?sslmode=require"
    finally:
        servers.close()


@pytest.fixture
def server() -> Iterator[Place]:
    """A state, and its lock."""
    place, state = Place("http", {}), bytearray()

    class Handler(BaseHTTPRequestHandler):
        def _say(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._say(200, bytes(state)) if state else self._say(404)

        def do_POST(self) -> None:
            state[:] = self.rfile.read(int(self.headers["Content-Length"]))
            self._say(200)

        def do_LOCK(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._say(423, b'{"ID": "f00", "Who": "anna@ci"}') if place.lock.is_set() else self._say(200)

        def do_UNLOCK(self) -> None:
            self._say(200)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        here = f"http://127.0.0.1:{listening.server_port}/state"
        place.settings = {
            "TF_HTTP_ADDRESS": here,
            "TF_HTTP_LOCK_ADDRESS": here,
            "TF_HTTP_UNLOCK_ADDRESS": here,
            "TF_HTTP_RETRY_MAX": "0",
        }
        yield place
        listening.shutdown()
        thread.join()


@pytest.fixture(params=["pg", "http"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "http":
        yield request.getfixturevalue("server")
        return
    conninfo = request.getfixturevalue("database")
    with psycopg.connect(conninfo, autocommit=True) as session:
        yield Place("pg", {"PG_CONN_STR": conninfo}, session=session)


@on_both
def test_what_is_known_of_a_stack_whose_state_is_elsewhere(
    place: Place, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "main.tf").write_text(CONFIGURATION.format(kind=place.kind))
    environ = {**environment, **place.settings}
    terraform = Terraform(tmp_path, environ)
    terraform.init()
    with terraform.plan() as plan:
        terraform.apply(plan)
    assert not (tmp_path / "terraform.tfstate").exists()

    again = Terraform(tmp_path, environ)
    assert again.outputs()["x"].value == "one"
    assert again.state()["values"]["root_module"]["resources"][0]["address"] == "terraform_data.x"

    with pytest.raises(Invalid, match=f"'{place.kind}' backend can't hold orchestrate's lock") as nowhere:
        lock_of(tmp_path, environ, None)
    assert "--lock s3://" in nowhere.value.problems[0].fix
    assert lock_of(tmp_path, environ, tmp_path / "locks").place == str(tmp_path / "locks" / "orchestrate.lock")

    place.hold()
    with pytest.raises(StateLocked) as locked:
        again.plan()
    assert locked.value.problems[0].code == "state-locked"
    assert PASSWORD not in str(locked.value)
