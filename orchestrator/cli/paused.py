"""What `orchestrate status` shows of a stack that is paused, or some of whose tenants are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.events import FindingReported

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


def show_paused(conductor: Conductor, operation: Operation) -> Outcome | None:
    """Since when and by whom, and whether all is as the pause left it; None: nothing is paused."""
    from orchestrator import app
    from orchestrator.cli.conduct import show_survey

    standing = app.standing_of(operation.stack, operation.aws)
    if standing.whole is None and not standing.tenants:
        return None
    conductor.emit(FindingReported(step="status", detail=str(standing), code="paused", fix="orchestrate resume"))
    return show_survey(conductor, app.paused_survey(operation, standing))
