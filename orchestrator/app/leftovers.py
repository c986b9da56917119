"""What an interrupted Terraform has left of this stack, looked up in AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestrator.aws import existing
from orchestrator.aws.access import Access
from orchestrator.aws.existing import ExistingObject
from orchestrator.aws.session import Aws
from orchestrator.errors import OrchestratorError
from orchestrator.settings import Settings
from orchestrator.stack.blueprint.changes import planned_contract
from orchestrator.terraform.leftovers import (
    Leave,
    LeftoverAction,
    Planned,
    Tainted,
    action_for_tainted,
    actions_for_created,
    created,
    tainted,
    taints_in,
)

READERS = 8
"""Of so many objects is asked at the same time."""


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
        self._access = access or Access(environment, settings["profile"], role=settings["role"])
        again = taints_in(plan, wanted_again)
        self._tainted: Sequence[Tainted] = list(tainted(state(), again)) if again else ()
        self._created: Sequence[Planned] = list(created(plan))
        self._regions: dict[str, Aws] = {}

    def look(self) -> Sequence[LeftoverAction]:
        """What becomes of each, as things are now. Without a region nothing can be looked up.

        Raises `OrchestratorError` when something tainted can't be: it must not be destroyed unseen.
        """
        if not self._region or not (self._tainted or self._created):
            return ()
        kept = [action_for_tainted(one, next(iter(self._seen(one)), None)) for one in self._tainted]
        seen, unseen = self._all_created()
        found = actions_for_created(seen, self._stack)
        return [*(action for action in kept if action is not None), *unseen, *found]

    def _all_created(self) -> tuple[Sequence[tuple[Planned, Sequence[ExistingObject]]], Sequence[Leave]]:
        """What was seen of each. What can't be looked up is said, and left to Terraform: it destroys nothing for it."""
        seen, unseen = [], []
        for region in {self._place(one) for one in self._created}:
            self._aws(region)
        with ThreadPoolExecutor(READERS) as pool:
            looks = [(one, pool.submit(self._seen, one)) for one in self._created]
        for one, look in looks:
            try:
                seen.append((one, look.result()))
            except OrchestratorError as error:
                problem = error.problems[0]
                because = f"could not check whether it already exists: {problem.message}"
                unseen.append(Leave(one.address, because, problem.fix))
        return seen, unseen

    def _seen(self, one: Tainted | Planned) -> Sequence[ExistingObject]:
        tags = {"tags": one.tags} if isinstance(one, Planned) else {}
        return existing.find(self._aws(self._place(one)).client, one.kind, {**one.wanted, **tags})

    def _place(self, one: Tainted | Planned) -> str:
        return (one.region if isinstance(one, Planned) else "") or str(self._region)

    def _aws(self, region: str) -> Aws:
        if region not in self._regions:
            self._regions[region] = Aws(region, self._access)
        return self._regions[region]
