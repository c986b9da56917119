"""The replication group failed: it answers nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.elasticache.models import elasticache_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

FAILED = "create-failed"


def _change(before: str, after: str) -> None:
    for backend in list(elasticache_backends[ACCOUNT].values()):
        for group in list(backend.replication_groups.values()):
            if group.status == before:
                group.status = after


def _break(_cloud: Cloud, _tenant: str) -> None:
    _change("available", FAILED)


def _mend(_cloud: Cloud, _tenant: str) -> None:
    _change(FAILED, "available")


FAULT = Fault(
    "redis-down",
    "the replication group failed",
    "Redis/Cache Issues",
    per_tenant=False,
    inject=_break,
    clear=_mend,
)
