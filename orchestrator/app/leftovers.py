"""What an interrupted Terraform has left of this stack, looked up in AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.aws import existing
from orchestrator.aws.access import Access
from orchestrator.aws.session import Aws
from orchestrator.errors import OrchestratorError
from orchestrator.settings import Settings
from orchestrator.stack.blueprint.changes import planned_contract
from orchestrator.terraform.leftovers import (
    Leave,
    LeftoverAction,
    Planned,
    Tainted,
    action_for_created,
    action_for_tainted,
    created,
    tainted,
    taints_in,
)


class PlanLeftovers:
    """Of one plan; `state` (`terraform show -json`) is read only when something is tainted."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        state: Callable[[], Mapping[str, Any]],
        wanted_again: Sequence[str],
        settings: Settings,
        environment: Mapping[str, str],
        *,
        access: Access | None = None,
    ) -> None:
        said = planned_contract(plan)
        self._stack = str(said.get("stack") or "")
        self._region = said.get("region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        self._access = access or Access(environment, settings["profile"])
        again = taints_in(plan, wanted_again)
        self._tainted: Sequence[Tainted] = list(tainted(state(), again)) if again else ()
        self._created: Sequence[Planned] = list(created(plan))
        self._aws: Aws | None = None

    def look(self) -> Sequence[LeftoverAction]:
        """What becomes of each, as things are now. Without a region nothing can be looked up.

        Raises `OrchestratorError` when something tainted can't be: it must not be destroyed unseen.
        """
        if not self._region or not (self._tainted or self._created):
            return ()
        self._aws = self._aws or Aws(self._region, self._access)
        client = self._aws.client
        kept = [action_for_tainted(one, existing.find(client, one.kind, one.name)) for one in self._tainted]
        return [action for action in (*kept, *map(self._action_for_created, self._created)) if action is not None]

    def _action_for_created(self, one: Planned) -> LeftoverAction | None:
        """What can't be looked up is said, and left to Terraform: it destroys nothing for it."""
        assert self._aws is not None  # noqa: S101 - made by look()
        try:
            seen = existing.find(self._aws.client, one.kind, one.name)
        except OrchestratorError as error:
            problem = error.problems[0]
            return Leave(one.address, f"could not check whether it already exists: {problem.message}", problem.fix)
        return action_for_created(one, seen, self._stack)
