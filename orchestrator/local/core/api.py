"""boto3 against a local cloud, for who stands outside of it: by the variables that `orchestrate local env` prints.

They bear the observer's mark: what they read is the whole truth, at once. Who is tested must not use them.
Sessions and clients are made once. What costs is to decode all that a service can do: 0.2 s of processor time for EC2.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from orchestrator.local.core.caller import OBSERVER

_MAKING = threading.Lock()
"""A session makes one client at a time; clients may be used by several threads."""


def session(environ: Mapping[str, str]) -> boto3.Session:
    """The same for all clouds that take these keys. Its clients need the cloud's endpoint."""
    return _session(environ["AWS_REGION"], environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])


def client(environ: Mapping[str, str], service: str) -> Any:
    """A client of the cloud that `environ` leads to."""
    return client_of(session(environ), environ["AWS_ENDPOINT_URL"], service)


@lru_cache(maxsize=100)
def client_of(made: boto3.Session, endpoint: str, service: str, config: Config | None = None) -> Any:
    """A client of the cloud at `endpoint`."""
    make: Any = made.client
    with _MAKING:
        return make(service, endpoint_url=endpoint, config=config)


@lru_cache(maxsize=10)
def _session(region: str, key: str, secret: str) -> boto3.Session:
    core: Any = botocore.session.get_session()
    core.user_agent_extra = OBSERVER
    return boto3.Session(botocore_session=core, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
