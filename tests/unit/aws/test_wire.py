"""What `--debug` shows of real clients that talk to a server of this machine: the requests, and no secret."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from orchestrator.aws.wire import LOGGERS, masked, wire_log
from orchestrator.redact import Redactor

SECRET = "hunter22-that-nobody-has-named"
KNOWN = "learned-before-it-was-sent"


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._answer(json.dumps({"Name": "n", "SecretString": SECRET, "ARN": "arn"}).encode())

    def do_PUT(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"<ListVersionsResult/>")

    def _answer(self, said: bytes) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def client(service: str, endpoint: str) -> Any:
    session: Any = boto3.Session("AKIAEXAMPLE", "the-callers-own-key", "the-callers-session-token", "us-west-2")
    return session.client(service, endpoint_url=endpoint)


def test_requests_are_shown_and_answers_are_not(endpoint: str) -> None:
    said: list[str] = []
    with wire_log(said.append, Redactor([KNOWN])):
        answer = client("secretsmanager", endpoint).get_secret_value(SecretId="prod/db")
        client("ecs", endpoint).update_service(service=KNOWN, cluster="main", forceNewDeployment=True)
    assert answer["SecretString"] == SECRET
    words = "\n".join(said)
    assert "botocore.endpoint: secretsmanager GetSecretValue POST " in words
    assert "ecs UpdateService POST" in words
    assert '"cluster": "main"' in words
    assert '"service": "***"' in words
    assert '"POST / HTTP/1.1" 200' in words
    for secret in (SECRET, KNOWN, "the-callers-own-key", "the-callers-session-token", "Signature"):
        assert secret not in words


def test_a_secret_that_is_cut_in_two_is_not_shown(endpoint: str) -> None:
    said: list[str] = []
    long = "s" * 4000
    with wire_log(said.append, Redactor([long])):
        client("ecs", endpoint).update_service(service=long)
    assert all("ssss" not in line for line in said)


def test_the_query_of_a_url_and_what_is_stored_are_left_out(endpoint: str) -> None:
    said: list[str] = []
    with wire_log(said.append, Redactor()):
        client("s3", endpoint).put_object(Bucket="b", Key="k", Body=b"the rows of a dump", IfNoneMatch="*")
        client("s3", endpoint).list_object_versions(Bucket="b", Prefix="signed-like")
    assert any("s3 PutObject PUT" in line for line in said)
    assert not any("rows" in line or "signed-like" in line for line in said)


def test_afterwards_nothing_is_heard(endpoint: str) -> None:
    said: list[str] = []
    before = [(logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in LOGGERS]
    with wire_log(said.append, Redactor()):
        pass
    client("ecs", endpoint).update_service(service="x")
    assert said == []
    assert before == [(logging.getLogger(name).level, logging.getLogger(name).handlers) for name in LOGGERS]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"AuthToken": "x", "Id": 1}, {"AuthToken": "***", "Id": 1}),
        (
            {"environment": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "HOST", "value": "y"}]},
            {"environment": [{"name": "DB_PASSWORD", "value": "***"}, {"name": "HOST", "value": "y"}]},
        ),
        ({"a": {"masterUserPassword": {"deep": "x"}}}, {"a": {"masterUserPassword": "***"}}),
    ],
    ids=["key", "pair", "deep"],
)
def test_what_sounds_secret_is_masked_by_its_name(given: Any, expected: Any) -> None:
    assert masked(given) == expected
