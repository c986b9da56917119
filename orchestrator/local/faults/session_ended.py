"""Every session of STS that was opened until now has ended. Felt in laws/identity.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _end(_cloud: Cloud, _tenant: str) -> None:
    from orchestrator.local.laws.identity import end_sessions  # noqa: PLC0415 - with moto

    end_sessions()


FAULT = Fault("session-ended", "all STS sessions opened until now have ended", per_tenant=False, inject=_end)
