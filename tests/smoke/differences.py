"""One record held against another: what the first cloud told that the second does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.answers.shapes import missing
from tests.smoke.shapes import Line


@dataclass
class Told:
    """All answers to one operation."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    answers: int = 0


def told(lines: Iterable[Line]) -> dict[str, Told]:
    """By operation."""
    found: dict[str, Told] = {}
    for one in lines:
        about = found.setdefault(one["call"], Told())
        if "error" in one:
            about.errors.add(one["error"])
            continue
        about.answers += 1
        for path, kind in one["answer"].items():
            about.kinds.setdefault(path, set()).add(kind)
    return found


def differences(theirs: Iterable[Line], ours: Iterable[Line]) -> list[str]:
    """A line each: calls never made here, members and words that our answers never had, errors never given."""
    there, here = told(theirs), told(ours)
    return [line for name in sorted(there) for line in _of(name, there[name], here.get(name))]


def _of(name: str, there: Told, here: Told | None) -> Iterator[str]:
    if here is None:
        yield f"{name}: never asked of the other cloud"
        return
    for code in sorted(there.errors - here.errors):
        yield f"{name}: refuses with {code}; the other cloud never did"
    if there.answers and not here.answers:
        yield f"{name}: answers; the other cloud only refuses"
        return
    for path in missing(there.kinds, frozenset(here.kinds)):
        yield f"{name}: the answer has {path}; the other cloud's never has"
    for path in sorted(there.kinds.keys() & here.kinds.keys()):
        for word in sorted(_words(there.kinds[path]) - _words(here.kinds[path])):
            yield f"{name}: {path} is {word}; in the other cloud it never is"


def _words(kinds: set[str]) -> set[str]:
    """Values of enums and states; of all others only the kind."""
    return {kind if kind.startswith(("enum(", "word(")) else kind.partition("(")[0] for kind in kinds}
