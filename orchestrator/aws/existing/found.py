"""An object that exists in AWS, as far as it matters whether it is this stack's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Client = Callable[[str], Any]
"""A boto3 client by its service."""


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """An object. `id` is what `terraform import` takes; `status` is the service's word, empty where it has none.

    `blank`: it is as it was born: a bucket with neither tags nor content, which Terraform's provider tags only after it
    was made; the rule that AWS makes with a security group.
    """

    id: str
    status: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    blank: bool = False


Wanted = Mapping[str, Any]
"""What the plan knows of an object: attributes by Terraform's names, `tags` those that it would have."""
Look = Callable[[Client, Wanted], Sequence[ExistingObject]]


def tags_of(pairs: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> Mapping[str, str]:
    """AWS's list of tags as a mapping."""
    return {pair[key]: pair[value] for pair in pairs}
