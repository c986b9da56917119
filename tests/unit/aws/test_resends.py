"""What botocore may send again: real clients against a server that loses answers, and the table of all changes."""

from __future__ import annotations

import ast
import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.aws.access import Access
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.resends import AGAIN, ONCE
from orchestrator.aws.session import Aws
from orchestrator.aws.ssm import LOOKS, Ssm
from orchestrator.errors import Transient, Unheard

SOURCES = Path(orchestrator.__file__).parent
INSTANCE = "i-0123456789abcdef0"
COMMAND = "11111111-2222-3333-4444-555555555555"
READS = ("batch_get_", "describe_", "filter_", "get_", "head_", "list_", "simulate_")


class Server:
    """SSM as far as it is asked: what is sent arrives, but `lose` says what becomes of the answer (an HTTP status)."""

    def __init__(self) -> None:
        self.lose: Callable[[int], int] = lambda _number: 200
        self.sent: list[dict[str, Any]] = []
        self.listed = 0
        self.known_after = 0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            if operation == "ListCommands":
                made.listed += 1
                seen = made.sent if made.listed > made.known_after else []
                said = [{"CommandId": COMMAND, "Comment": one["Comment"]} for one in seen]
                self.answer(200, {"Commands": said})
                return
            made.sent.append(asked)
            status = made.lose(len(made.sent))
            if status == 0:
                self.connection.close()
            elif status == 200:
                self.answer(200, {"Command": {"CommandId": COMMAND}})
            else:
                self.answer(status, {"__type": "ThrottlingException" if status < 500 else "InternalServerError"})

        def answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    yield made
    http.shutdown()
    http.server_close()


def sent(mark: str = "0a1b2c") -> str:
    ssm = Ssm(
        Aws("us-west-2", Access(dict(os.environ))).client("ssm"),
        sleep=lambda _: None,
        monotonic=lambda: 0.0,
        mark=lambda: mark,
    )
    return ssm._send(INSTANCE, "echo", "why", 60)


@pytest.mark.parametrize("lost", [0, 500, 503])
def test_a_command_whose_answer_is_lost_is_found_and_not_sent_again(server: Server, lost: int) -> None:
    server.lose = lambda _number: lost
    server.known_after = 2
    assert sent() == COMMAND
    assert [one["Comment"] for one in server.sent] == ["why [0a1b2c]"]
    assert server.listed == 3


def test_one_that_never_shows_is_not_called_sent(server: Server) -> None:
    server.lose = lambda _number: 0
    server.known_after = 100
    with pytest.raises(Transient):
        sent()
    assert (len(server.sent), server.listed) == (1, LOOKS)


def test_without_a_mark_none_is_taken_for_ours(server: Server) -> None:
    server.lose = lambda _number: 0
    with pytest.raises(Transient):
        sent(mark="")
    assert (len(server.sent), server.listed) == (1, 0)


def test_what_aws_refused_for_its_rate_is_sent_again(server: Server) -> None:
    server.lose = lambda number: 400 if number == 1 else 200
    assert sent() == COMMAND
    assert (len(server.sent), server.listed) == (2, 0)


@pytest.mark.usefixtures("server")
def test_all_threads_of_a_command_share_what_one_client_may_still_send() -> None:
    """botocore counts for each client; whatever the mode in somebody's own settings."""
    aws = Aws("us-west-2", Access({**os.environ, "AWS_RETRY_MODE": "legacy"}))
    assert aws.client("ecs") is aws.client("ecs")
    assert aws.client("ecs").meta.config.retries["mode"] == "adaptive"


@pytest.mark.parametrize(("lost", "kind"), [(0, Unheard), (500, Unheard), (429, Transient)])
def test_it_is_said_when_nobody_knows_whether_a_redeploy_arrived(
    server: Server, lost: int, kind: type[Transient]
) -> None:
    server.lose = lambda _number: lost
    with pytest.raises(Transient) as caught:
        Ecs(Aws("us-west-2", Access(dict(os.environ))).client("ecs"), "c").redeploy("a-service")
    assert type(caught.value) is kind
    assert (len(server.sent) == 1) is (kind is Unheard)


def test_another_change_is_sent_until_it_is_answered(server: Server) -> None:
    server.lose = lambda number: 500 if number == 1 else 200
    Aws("us-west-2", Access(dict(os.environ))).client("ssm").cancel_command(CommandId=COMMAND)
    assert len(server.sent) == 2


@pytest.mark.usefixtures("server")
def test_every_change_of_the_product_is_in_the_table() -> None:
    aws = Aws("us-west-2", Access(dict(os.environ)))
    services = ("application-autoscaling", "ec2", "ecs", "elasticache", "elbv2", "rds", "s3", "secretsmanager", "ssm")
    operations = {"copy"} | {
        method for service in (*services, "route53") for method in aws.client(service).meta.method_to_api_mapping
    }
    called: set[str] = set()
    for file in [*(SOURCES / "aws").glob("*.py"), SOURCES / "dns" / "route53.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                called.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                called.add(node.value)
    changes = {one for one in called & operations if not one.startswith(READS)}
    assert not ONCE.keys() & AGAIN.keys()
    assert changes == ONCE.keys() | AGAIN.keys()
