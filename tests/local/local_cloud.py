"""A local cloud of a test's own, and boto3 against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from orchestrator.local import client, state


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud of the test's own: a real daemon."""

    folder: Path
    running: state.Running
    env: dict[str, str]

    def ask(self, path: str, method: str = "GET", **arguments: str) -> Any:
        return client.ask(self.running, path, method, **arguments)


@dataclass(frozen=True)
class Aws:
    """boto3 against one local cloud, whatever the environment says."""

    session: boto3.Session
    endpoint: str

    def client(self, service: Any, **options: Any) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint, **options)


def aws_of(cloud: LocalCloud) -> Aws:
    session = boto3.Session(
        aws_access_key_id=cloud.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud.env["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.env["AWS_REGION"],
    )
    return Aws(session, cloud.running.endpoint)
