"""One of the zone's name servers has stopped following: every second answer is what it was when the fault began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.local.dns.zone import ZoneBook
from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _begin(cloud: Cloud, _tenant: str) -> None:
    cloud.shared(ZoneBook).freeze()


def _end(cloud: Cloud, _tenant: str) -> None:
    cloud.shared(ZoneBook).thaw()


FAULT = Fault(
    "dns-stale", "every second DNS answer is from a stale secondary", per_tenant=False, inject=_begin, clear=_end
)
