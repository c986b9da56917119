"""What is ready before a process forks: every module, what botocore reads, and shorter client-side waits."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any

import boto3
from botocore.loaders import JSONFileLoader
from botocore.retries import standard

import orchestrator
from orchestrator.engine.s3_lock import S3Lock

SERVICES = ("ec2", "ecs", "elasticache", "elbv2", "logs", "rds", "route53", "s3", "secretsmanager", "ssm", "sts")
FASTER = 10.0
"""Who comes back sooner meets the rates sooner: they count in real seconds."""


def import_everything() -> None:
    """Import everything, read what botocore reads, and shorten what only the client waits for."""
    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not module.name.startswith("orchestrator.local") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    read = functools.cache(JSONFileLoader().load_file)
    loader: Any = JSONFileLoader
    loader.load_file = lambda _loader, path: read(path)
    session: Any = boto3.Session("x", "x", region_name="us-west-2")
    for service in SERVICES:
        session.client(service)
    held: Any = S3Lock.__init__
    held.__kwdefaults__ = {"period": 0.5, "dead": 3.0}
    back_off: Any = standard.ExponentialBackoff
    slow = back_off.delay_amount
    back_off.delay_amount = lambda self, context: slow(self, context) / FASTER
