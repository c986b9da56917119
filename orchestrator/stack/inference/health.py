"""What a site answers when it is up, by the health check of its target group: of other applications than Onyx. Pure.

Onyx's own answer is the contract's default, which says more than a status.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.stack.blueprint.resources import Resources
from orchestrator.stack.inference.model import ContractDraft, Key

_KEYS = ("health_path", "health_statuses", "health_mark")


def describe(group: str, key: Key, draft: ContractDraft, state: Resources) -> None:
    """The path and statuses that ELB asks for, and no mark: it reads none."""
    if any(draft.mapped.says((*place, name)) for place in (key, ()) for name in _KEYS):
        return
    found = state.one("aws_lb_target_group", "arn", group)
    checks = found.blocks("health_check") if found else ()
    path = str(checks[0].get("path") or "") if checks else ""
    if found is None or not path.startswith("/") or found.text("protocol_version") == "GRPC":
        said = "is checked at Onyx's /api/health, unless `health_path` says otherwise"
        draft.remark(f"{key[-1]}: no health check in the state says what its site answers when it is up: it {said}")
        return
    values: dict[str, object] = {"health_path": path, "health_mark": ""}
    if statuses := list(_statuses(str(checks[0].get("matcher") or ""))):
        values["health_statuses"] = statuses
    draft.put_all(key, {name: (value, found.place("health_check")) for name, value in values.items()})


def _statuses(matcher: str) -> Iterator[int]:
    """`200`, `200,302`, `200-399`: those that a site may answer with."""
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from (one for one in range(int(first), int(last or first) + 1) if 200 <= one <= 499)
