"""The program that looks out from the runner, run for real: against Redis's stand-in, and sites over TLS."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from orchestrator import inside
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.inside import RedisLogin, Unproven, Visit
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.elasticache.redis import _RedisServer
from orchestrator.probe import Reached
from orchestrator.stack.contract import Redis

TOKEN = "the-token-of-the-secret"
ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:redis-AbCdEf"


@dataclass
class Runner:
    """A shell with an `aws` that knows one secret, and the test's authority."""

    folder: Path
    cloud: Cloud
    scripts: list[str]

    def tells(self, answer: str, status: int = 0) -> None:
        said = f"#!/bin/sh\necho \"$@\" >>{self.folder}/asked\necho '{answer}' >&{2 if status else 1}\nexit {status}\n"
        (self.folder / "aws").write_text(said)
        (self.folder / "aws").chmod(0o755)

    def run(self, _instance: str, script: str, *, comment: str, timeout: int) -> SimpleNamespace:
        assert comment.startswith("orchestrate: ")
        self.scripts.append(script)
        path = f"{self.folder}:/usr/bin:/bin"
        env = {"PATH": path, "SSL_CERT_FILE": str(self.cloud.ca_file)}
        done = subprocess.run(
            ["bash", "-c", script], env=env, capture_output=True, text=True, timeout=timeout, check=True
        )
        return SimpleNamespace(stdout=done.stdout)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    made = Cloud(tmp_path, Pace(100), trustme.CA(), Faults(), lambda _line: None)
    made.ca.cert_pem.write_to_path(made.ca_file)
    return made


@pytest.fixture
def runner(tmp_path: Path, cloud: Cloud) -> Runner:
    (tmp_path / "bin").mkdir()
    made = Runner(tmp_path / "bin", cloud, [])
    made.tells(TOKEN)
    (made.folder / "python3").symlink_to(sys.executable)
    return made


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Any]:
    group = SimpleNamespace(replication_group_id="r", transit_encryption_enabled=True, status="available")
    made = _RedisServer(cloud, "localhost", group)
    yield made
    made.close()


def login(runner: Runner, server: Any, host: str = "localhost") -> RedisLogin | Unproven:
    redis = Redis(replication_group="r", host=host, port=server.server_address[1], auth_secret_arn=ARN)
    return inside.login(runner, "i-0123", redis, "us-west-2")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ((TOKEN,), RedisLogin(open=False, accepted=True, said="+PONG")),
        (("before-the-rotation", TOKEN), RedisLogin(open=False, accepted=True, said="+PONG")),
        ((None, TOKEN), RedisLogin(open=True, accepted=True, said="+PONG")),
        (
            ("rotated-elsewhere",),
            RedisLogin(
                open=False, accepted=False, said="-WRONGPASS invalid username-password pair or user is disabled."
            ),
        ),
    ],
)
def test_only_a_login_tells_which_token_it_is(
    runner: Runner, cloud: Cloud, server: Any, accepted: tuple[str | None, ...], expected: RedisLogin
) -> None:
    cloud.redis_accepts["r"] = accepted
    assert login(runner, server) == expected
    assert TOKEN not in "".join(runner.scripts), "the command's text is readable in SSM's history"


@pytest.mark.parametrize(
    ("told", "key", "where", "asked"),
    [
        ('{"token": "the-token-of-the-secret"}', "token", ARN, "secretsmanager get-secret-value --secret-id"),
        (TOKEN, None, f"{ARN}::AWSPENDING:", "--version-stage AWSPENDING"),
        (TOKEN, None, "/shop/redis", "ssm get-parameter --with-decryption --name /shop/redis"),
    ],
)
def test_the_token_in_every_form_in_which_it_is_kept(
    runner: Runner, cloud: Cloud, server: Any, told: str, key: str | None, where: str, asked: str
) -> None:
    cloud.redis_accepts["r"] = (TOKEN,)
    runner.tells(told)
    redis = Redis(
        replication_group="r",
        host="localhost",
        port=server.server_address[1],
        auth_secret_arn=where,
        auth_secret_key=key,
    )
    assert inside.login(runner, "i-0123", redis, "us-west-2") == RedisLogin(open=False, accepted=True, said="+PONG")
    assert asked in (runner.folder / "asked").read_text()


def test_without_a_token_it_is_open_and_takes_none(runner: Runner, server: Any) -> None:
    found = login(runner, server)
    assert isinstance(found, RedisLogin)
    assert (found.open, found.accepted, "without any password" in found.said) == (True, False, True)


def test_the_token_goes_to_nobody_whose_certificate_is_not_redis_s(runner: Runner, cloud: Cloud, server: Any) -> None:
    cloud.redis_accepts["r"] = (TOKEN,)
    found = login(runner, server, "127.0.0.1")  # the certificate is for localhost
    assert isinstance(found, Unproven)
    assert "certificate is not valid" in found.why


def test_who_can_t_be_reached_or_read_is_not_proven(runner: Runner, cloud: Cloud, server: Any) -> None:
    server.group.status = "create-failed"
    found = login(runner, server)
    assert isinstance(found, Unproven)
    assert "can't be reached" in found.why
    runner.tells("An error occurred (AccessDeniedException) when calling GetSecretValue", 254)
    found = login(runner, server)
    assert isinstance(found, Unproven)
    assert "AccessDeniedException" in found.why


@pytest.mark.parametrize(("error", "passing"), [(Transient, True), (OrchestratorError, False)])
def test_a_runner_that_runs_nothing_proves_nothing(error: type[OrchestratorError], *, passing: bool) -> None:
    class Gone:
        def run(self, _instance: str, _script: str, *, comment: str, timeout: int) -> Any:
            raise error(Problem("runner-offline", "it is offline", "", "wait"))

    redis = Redis(replication_group="r", host="r.example.com", auth_secret_arn=ARN)
    assert inside.login(Gone(), "i-0123", redis, "us-west-2") == Unproven("it is offline", passing=passing)


@pytest.fixture
def site(cloud: Cloud) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = (200, b'{"success":true}') if self.path == "/api/health" else (302, b"")
            self.send_response(status)
            self.send_header("Location", "https://login.example.com/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cloud.ca.issue_cert("demo.vigilon.app").configure_cert(context)
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=made.serve_forever, args=(0.05,)).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


def test_internal_sites_are_visited_from_inside(runner: Runner, site: int) -> None:
    here = ("127.0.0.1",)
    asked = [
        Visit("demo.vigilon.app", *here, "/api/health", site),
        Visit("demo.vigilon.app", *here, "/", site),
        Visit("other.vigilon.app", *here, "/api/health", site),
        Visit("demo.vigilon.app", *here, "/api/health", 1),
    ]
    found = inside.visit(runner, "i-0123", asked)
    assert [one.reached for one in found] == [
        Reached.ANSWERED,
        Reached.ANSWERED,
        Reached.TLS_INVALID,
        Reached.UNREACHABLE,
    ]
    assert (found[0].status, found[0].body, found[0].seen_from) == (200, '{"success":true}', "i-0123")
    assert (found[1].status, found[1].location) == (302, "https://login.example.com/")
    assert len(runner.scripts) == 1


def test_what_is_no_answer_is_said() -> None:
    class Odd:
        def run(self, *_: Any, **__: Any) -> SimpleNamespace:
            return SimpleNamespace(stdout="Killed\n")

    with pytest.raises(OrchestratorError, match="no JSON came back"):
        inside.visit(Odd(), "i-0123", [Visit("a.example.com", "10.0.0.1", "/")])
