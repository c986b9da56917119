"""The owner of Porkbun's domains has not switched on API access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.local.dns.registrar import Registrar
from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _switch(*, opted_in: bool, cloud: Cloud) -> None:
    for domain in cloud.shared(Registrar).domains():
        domain.opted_in = opted_in


def _inject(cloud: Cloud, _tenant: str) -> None:
    _switch(opted_in=False, cloud=cloud)


def _clear(cloud: Cloud, _tenant: str) -> None:
    _switch(opted_in=True, cloud=cloud)


FAULT = Fault(
    "porkbun-not-opted-in", "Porkbun's domains are not opted in to API access", "", False, inject=_inject, clear=_clear
)
