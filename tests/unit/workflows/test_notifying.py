"""`[notify]`: who is told of the end of a run, against real servers and programs of this machine; and who is not."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Outcome, Problem
from orchestrator.events import Event, FindingReported, RunFinished
from orchestrator.workflows.caller import StackRef
from orchestrator.workflows.execution import Execution, perform

KEY = "a-key-that-nobody-may-see"
TOKEN = "T0KEN-of-the-slack-webhook"
PASSWORD = "hunter22-of-the-environment"


@dataclass
class Receiver:
    """A server that takes what is posted to it."""

    url: str
    status: int = 200
    posted: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            it.posted.append((self.path, dict(self.headers), body))
            self.send_response(it.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it = Receiver(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield it
        server.shutdown()


def end(folder: Path, table: str, *, outcome: Outcome = Outcome.FAILED, recorded: bool = True) -> list[Event]:
    """A run that fails for one tenant, with these settings and some variables; its events."""
    (folder / "orchestrate.toml").write_text(f"[notify]\n{table}")
    environment = {
        "PATH": "/usr/bin:/bin",
        "KEY": KEY,
        "SLACK": f"{BASE[0]}/services/{TOKEN}",
        "DB_PASSWORD": PASSWORD,
    }
    events: list[Event] = []

    def work(execution: Execution) -> Outcome:
        problem = Problem("no-tasks", f"said: {PASSWORD}", "acme", "look <here>")
        execution.fail(problem, Outcome.FAILED, "services")
        return outcome

    ref = StackRef(folder, environment)
    assert perform("run", ref, work, emit=events.append, caller=None, recorded=recorded) is outcome
    assert isinstance(events[-1], RunFinished), "the last event is the last"
    return events


BASE = [""]


@pytest.fixture(autouse=True)
def _base(receiver: Receiver) -> None:
    BASE[0] = receiver.url


def missed(events: list[Event]) -> list[str]:
    return [one.detail for one in events if isinstance(one, FindingReported) and one.code == "notice-not-delivered"]


def test_the_webhook_gets_the_run_signed_and_without_secrets(tmp_path: Path, receiver: Receiver) -> None:
    events = end(tmp_path, f'webhook = "{receiver.url}/hook"\nwebhook-key = "env:KEY"')
    ((path, headers, body),) = receiver.posted
    said = json.loads(body)
    assert (path, missed(events)) == ("/hook", [])
    assert {key: said[key] for key in ("schema", "event", "command", "outcome", "changed", "failures_total")} == {
        "schema": 1,
        "event": "run-ended",
        "command": "run",
        "outcome": "failed",
        "changed": 0,
        "failures_total": 1,
    }
    assert said["failures"] == [
        {"step": "services", "tenant": "", "code": "no-tasks", "detail": "acme: said: ***", "fix": "look <here>"}
    ]
    at = headers["X-Orchestrate-Time"]
    expected = hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Orchestrate-Signature"] == f"sha256={expected}"


def test_slack_gets_a_message_it_understands(tmp_path: Path, receiver: Receiver) -> None:
    assert missed(end(tmp_path, 'slack = "env:SLACK"')) == []
    ((path, _, body),) = receiver.posted
    said = json.loads(body)
    assert path.endswith(TOKEN)
    assert said["text"].startswith("orchestrate run: failed (0 changes, ")
    (block,) = said["blocks"]
    assert (block["type"], block["text"]["type"]) == ("section", "mrkdwn")
    assert "• services: acme: said: *** `no-tasks`" in block["text"]["text"]
    assert PASSWORD not in body.decode()


def test_a_command_gets_it_on_its_standard_input(tmp_path: Path) -> None:
    assert missed(end(tmp_path, 'command = ["sh", "-c", "cat > told.json"]')) == []
    assert json.loads((tmp_path / "told.json").read_text())["outcome"] == "failed"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('webhook = "http://127.0.0.1:1/none"', "the webhook notice was not delivered: connection refused"),
        ('webhook = "http://[::1/none"', "the webhook notice was not delivered: its address is not a URL"),
        ('slack = "env:SLACK"', "the slack notice was rejected: HTTP 302"),
        ('command = ["./none"]', "the notice command './none' failed: No such file or directory"),
        ('command = ["sh", "-c", "exit 3"]', "the notice command 'sh' failed: status 3"),
        ('slack = "env:NOWHERE"', "a notice was not sent: the variable NOWHERE that [notify] names is not set"),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
def test_a_notice_that_fails_is_told_and_fails_nothing(
    tmp_path: Path, receiver: Receiver, table: str, why: str, outcome: Outcome
) -> None:
    receiver.status = 302
    events = end(tmp_path, table, outcome=outcome)
    assert missed(events) == [why]
    assert "/elsewhere" not in [path for path, _, _ in receiver.posted], "a redirect is not followed"
    everything = repr(events) + "".join(file.read_text() for file in (tmp_path / ".orchestrate").rglob("*.jsonl"))
    assert not [one for one in (KEY, TOKEN, PASSWORD) if one in everything]


def test_what_should_be_signed_is_not_sent_unsigned(tmp_path: Path, receiver: Receiver) -> None:
    events = end(tmp_path, f'webhook = "{receiver.url}/hook"\nwebhook-key = "env:NOWHERE"')
    assert len(missed(events)) == 1
    assert receiver.posted == []


@pytest.mark.parametrize(("on", "told"), [("[]", 1), ('["failed"]', 1), ('["succeeded", "timed-out"]', 0)])
def test_only_the_outcomes_that_are_asked_for(tmp_path: Path, receiver: Receiver, on: str, told: int) -> None:
    end(tmp_path, f'on = {on}\nwebhook = "{receiver.url}"')
    assert len(receiver.posted) == told


def test_what_only_looks_tells_nobody(tmp_path: Path, receiver: Receiver) -> None:
    end(tmp_path, f'webhook = "{receiver.url}"', recorded=False)
    assert receiver.posted == []
