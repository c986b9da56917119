"""A boto3 client to which AWS's recorded answers are given, whatever it asks: for what reads answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from tests.answers.derived import RECORDED
from tests.answers.shapes import SERVICES

TOKENS = ("nextToken", "NextToken", "NextMarker", "Marker")
"""A record is one page: there is no other to be had."""


def recorded(name: str) -> Mapping[str, Any]:
    """One answer as boto3 gives it, by its file: `ecs/DescribeServices.1`."""
    found: Mapping[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(), object_hook=_revived)
    answer = {name: value for name, value in found["answer"].items() if name not in TOKENS}
    return answer | {"ResponseMetadata": {"HTTPStatusCode": found["status"]}}


def _revived(raw: dict[str, Any]) -> Any:
    if raw.get("__class__") != "datetime":
        return raw
    parts = {name: value for name, value in raw.items() if name != "__class__"}
    return datetime(**parts, tzinfo=UTC)


def client(*names: str) -> Any:
    """Answers each of these operations with its record (a refusal, where AWS refused), and nothing else."""
    folder = names[0].partition("/")[0]
    made: Any = boto3.Session("key", "secret", region_name="us-east-1").client(SERVICES.get(folder, folder))  # type: ignore[call-overload]
    answers = {Path(name).name.partition(".")[0]: recorded(name) for name in names}

    def answer(model: Any, **_: Any) -> Any:
        said = answers[model.name]
        return SimpleNamespace(status_code=said["ResponseMetadata"]["HTTPStatusCode"]), dict(said)

    made.meta.events.register("before-call", answer)
    return made
