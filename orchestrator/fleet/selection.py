"""Which stacks an order is about, and which of them go together. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from orchestrator.errors import Invalid, Problem, correction
from orchestrator.fleet.file import FleetStack

REST = "rest"
ANY = "*"
"""In place of a label's name: any label that has the value."""


def selected(
    stacks: Sequence[FleetStack], *, names: Sequence[str] = (), labels: Sequence[str] = ()
) -> tuple[FleetStack, ...]:
    """Those with one of the names (none: any) and all of the labels, in their order. Raises `Invalid`: all defects."""
    problems = [*_unknown(stacks, names), *_malformed(labels)]
    if problems:
        raise Invalid(*problems)
    wanted = [(label.partition("=")[0], label.partition("=")[2]) for label in labels]
    found = tuple(
        one for one in stacks if (not names or one.name in names) and all(_has(one, *pair) for pair in wanted)
    )
    if not found:
        fix = "`orchestrate fleet stacks` lists the stacks and their labels"
        raise Invalid(
            Problem("fleet-selects-nothing", "no stack has this name and these labels", "--stack, --label", fix)
        )
    return found


def _has(stack: FleetStack, name: str, value: str) -> bool:
    return value in stack.labels.values() if name == ANY else stack.labels.get(name) == value


def _unknown(stacks: Sequence[FleetStack], names: Sequence[str]) -> Iterator[Problem]:
    known = [one.name for one in stacks]
    for name in names:
        if name not in known:
            yield Problem(
                "stack-unknown", f"there is no stack {name!r}", "--stack", correction(name, known, "fleet's stacks")
            )


def _malformed(labels: Sequence[str]) -> Iterator[Problem]:
    for label in labels:
        if not all(label.partition("=")):
            yield Problem("label-invalid", f"{label!r} is not of the form NAME=VALUE", "--label", "write NAME=VALUE")


def waves(names: Sequence[str], sizes: str = "") -> tuple[tuple[str, ...], ...]:
    """The names in their order, cut as `1,10%,rest` says; what is left over goes last. Raises `Invalid`.

    A share is of all, rounded up. Without sizes all go together.
    """
    cut: list[tuple[str, ...]] = []
    left = list(names)
    for size in [part.strip() for part in sizes.split(",")] if sizes else ():
        many = _size(size, len(names), sizes)
        cut.append(tuple(left[:many]))
        left = left[many:]
    return tuple(wave for wave in (*cut, tuple(left)) if wave)


def _size(size: str, all_: int, sizes: str) -> int:
    number = size.removesuffix("%")
    if size == REST:
        return all_
    if not number.isdecimal() or int(number) == 0 or (size.endswith("%") and int(number) > 100):
        fix = "use numbers of stacks, percentages and `rest`: 1,10%,rest"
        raise Invalid(Problem("wave-invalid", f"{size!r} in {sizes!r} is not a valid wave size", "--wave", fix))
    return math.ceil(all_ * int(number) / 100) if size.endswith("%") else int(number)


def kept(stacks: Sequence[FleetStack], names: Collection[str]) -> tuple[FleetStack, ...]:
    """Those of the names that are still there, in the order of the file."""
    return tuple(one for one in stacks if one.name in names)
