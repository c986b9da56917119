"""A local cloud of a test's own, and boto3 against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from orchestrator.local.core import api, state
from orchestrator.local.endpoint import client


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

    def client(self, service: str, config: Config | None = None) -> Any:
        return api.client_of(self.session, self.endpoint, service, config)


def aws_of(cloud: LocalCloud) -> Aws:
    return Aws(api.session(cloud.env), cloud.running.endpoint)
