"""What a cloud's answers lack beside AWS's: the same table for ours, for moto alone and for ministack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.answers.derived import table
from tests.answers.questions import Clients, Contract, ask, facts
from tests.answers.shapes import missing, shape

HERE = Path(__file__).parent
REFUSED = "refused"
Lacking = Mapping[str, list[str]]
"""`service:Operation` → members of AWS's answer that this one has not; `refused: CODE`, where there is no answer."""


def not_asked() -> Mapping[str, str]:
    """Operations that no cloud is asked for, and why."""
    known: dict[str, str] = json.loads((HERE / "not_asked.json").read_text())
    return known


def lacking(clients: Clients, contract: Contract) -> Lacking:
    """Asks a cloud in which the stack of this contract is. Operations that lack nothing are left out."""
    answers = ask(clients, facts(clients, contract))
    found = {name: _lacking(name, members, answers[name]) for name, members in table().items() if name in answers}
    return {name: members for name, members in sorted(found.items()) if members}


def _lacking(name: str, members: list[str], answers: list[Mapping[str, Any]] | str) -> list[str]:
    if isinstance(answers, str):
        return [f"{REFUSED}: {answers}"]
    return missing(members, shape(name, answers))


def meant() -> Lacking:
    """What our own cloud's answers may lack, from `differences.json`, where each has its reason."""
    found: dict[str, list[str]] = {}
    for reason in json.loads((HERE / "differences.json").read_text()):
        for name, members in reason["members"].items():
            found.setdefault(name, []).extend(members)
    return {name: sorted(members) for name, members in sorted(found.items())}


def known(cloud: str) -> Lacking:
    """What the answers of another cloud (`moto`, `ministack`) lacked when they were last looked at."""
    found: dict[str, list[str]] = json.loads((HERE / f"{cloud}.json").read_text())
    return found


def write(cloud: str, found: Lacking) -> None:
    """From now on this is known of it."""
    (HERE / f"{cloud}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def news(cloud: str, found: Lacking) -> list[str]:
    """What another version of it answers otherwise: a line each."""
    before = known(cloud)
    pairs = [(name, member) for name in sorted({*before, *found}) for member in _either(before, found, name)]
    return [
        f"{name} {member}: {'lacks it now' if member in found.get(name, ()) else 'has it now'}"
        for name, member in pairs
        if (member in found.get(name, ())) != (member in before.get(name, ()))
    ]


def _either(before: Lacking, found: Lacking, name: str) -> list[str]:
    return sorted({*before.get(name, ()), *found.get(name, ())})
