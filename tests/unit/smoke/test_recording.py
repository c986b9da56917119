from __future__ import annotations

import json
from pathlib import Path

import boto3
import botocore.handlers
import pytest
from botocore.stub import Stubber

from tests.smoke.recording import Record, Recorder
from tests.smoke.shapes import read


def test_every_call_of_a_session_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", list(botocore.handlers.BUILTIN_HANDLERS))
    Recorder(Record(tmp_path / "record"), monotonic=lambda: 1.0).install()
    session = boto3.Session("a", "b", region_name="us-west-2")
    client = session.client("sts")
    with Stubber(client) as stubber:
        stubber.add_response(
            "get_caller_identity",
            {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/bob", "UserId": "u"},
        )
        client.get_caller_identity()
    (said,) = read(tmp_path / "record")
    assert (said["by"], said["call"]) == ("orchestrate", "sts:GetCallerIdentity")
    assert "123456789012" not in json.dumps(said)
