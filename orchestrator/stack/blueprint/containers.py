"""A task definition's containers as Terraform has them: JSON in a text, its keys as ECS's API spells them.

Terraform takes the keys in any case: what a plan shows may say `PortMappings` where the API says `portMappings`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_FREE = frozenset({"options", "dockerLabels", "driverOpts", "labels"})
"""What stands below these is named by its owner."""


def containers_in(said: Any) -> list[dict[str, Any]] | None:
    """The containers; None where the text is not known, or can't be read."""
    if not isinstance(said, str):
        return None
    try:
        parsed = json.loads(said or "[]")
    except (ValueError, RecursionError):
        return None
    return [_spelled(one) for one in parsed if isinstance(one, dict)] if isinstance(parsed, list) else None


def _spelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        lowered = {key[:1].lower() + key[1:]: inner for key, inner in value.items()}
        return {key: inner if key in _FREE else _spelled(inner) for key, inner in lowered.items()}
    return [_spelled(one) for one in value] if isinstance(value, list) else value
