from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from werkzeug.wrappers import Request, Response

from tests import relay
from tests.smoke.listening import listening
from tests.smoke.recording import Record
from tests.smoke.shapes import read

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WHO = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::210987654321:user/bob</Arn><UserId>AIDA</UserId><Account>210987654321</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
SECRET = "hunter"


class Cloud:
    """AWS, as far as a caller's identity and an object that is put; `asked`: host, path and body of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        self.asked.append((request.host, environ["REQUEST_URI"], request.get_data()))
        return Response(WHO if request.method == "POST" else "", content_type="text/xml")(environ, start_response)


def environment(program: str) -> dict[str, str]:
    """What `terraform` is told: here it is `env`."""
    said = subprocess.run([program], capture_output=True, text=True, check=True, env={"AWS_ENDPOINT_URL": "http://x"})
    return dict(line.split("=", 1) for line in said.stdout.splitlines())


def client(service: str, told: dict[str, str]) -> Any:
    session = boto3.Session("key", "secret", region_name="us-west-2")
    config = Config(proxies={"https": told["HTTPS_PROXY"]}, retries={"total_max_attempts": 1})
    make: Any = session.client
    return make(service, config=config, verify=told["AWS_CA_BUNDLE"])


@pytest.mark.parametrize("body", [b"plain", b"x" * 200_000])
def test_the_same_is_asked_by_tls_and_only_its_shape_is_written(tmp_path: Path, body: bytes) -> None:
    cloud = Cloud()
    record = tmp_path / "record"
    with (
        relay.serving(cloud) as endpoint,
        listening(Record(record), tmp_path, {"AWS_ENDPOINT_URL": endpoint}, "/usr/bin/env") as program,
    ):
        told = environment(program)
        assert "AWS_ENDPOINT_URL" not in told
        assert client("sts", told).get_caller_identity()["Account"] == "210987654321"
        client("s3", told).put_object(Bucket=SECRET, Key=f"{SECRET}/a b", Body=body)
    hosts = [(host, path) for host, path, _ in cloud.asked]
    assert hosts == [
        ("sts.us-west-2.amazonaws.com", "/"),
        ("hunter.s3.us-west-2.amazonaws.com", "/hunter/a%20b"),
    ]
    assert body in cloud.asked[1][2]
    who, put = read(record)
    assert (who["by"], who["call"], who["status"]) == ("terraform", "sts:GetCallerIdentity", 200)
    assert who["answer"] == {"Account": "string(12)", "Arn": "string(34)", "UserId": "string(4)"}
    assert put["call"] == "s3:PutObject"
    assert SECRET not in record.read_text()


def test_nobody_but_aws_is_asked(tmp_path: Path) -> None:
    cloud = Cloud()
    with (
        relay.serving(cloud) as endpoint,
        listening(Record(tmp_path / "record"), tmp_path, {"AWS_ENDPOINT_URL": endpoint}, "/usr/bin/env") as program,
    ):
        told = environment(program)
        elsewhere = urllib3.ProxyManager(told["HTTPS_PROXY"], ca_certs=told["AWS_CA_BUNDLE"])
        answer = elsewhere.request("GET", "https://registry.example.com/", retries=False)
    assert answer.status == 403
    assert cloud.asked == []
