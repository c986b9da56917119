"""An answer has every member that AWS's has: moto leaves out what it doesn't know; AWS returns it empty.

`answer_members.json` has a row for each such member: the operation, the path to it, and AWS's usual value. A member
that is present stays as it is. Which members AWS's answers have was read from recorded ones (tests/answers).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import counted
from orchestrator.local.core import wire
from orchestrator.local.laws import Ask, Force, Law, Row

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall, HttpAnswer

SOURCE = "recorded answers of AWS"
Members = Mapping[str, Any]
"""Path of a member → what it is where the answer leaves it out."""


@cache
def table() -> Mapping[str, Members]:
    """`service.Operation` → its members."""
    known: dict[str, Members] = json.loads(Path(__file__).with_name("answer_members.json").read_text())
    return known


def complete(result: dict[str, Any], members: Members) -> None:
    """Put in what is missing, in place. What would be inside something that isn't there is not made."""
    for path, value in members.items():
        *parents, name = path.split(".")
        for holder in _holders([result], parents):
            if holder.get(name) is None:
                holder[name] = copy.deepcopy(value)


def _holders(found: list[Any], parents: Sequence[str]) -> list[Any]:
    for part in parents:
        inner = [one[part.removesuffix("[]")] for one in found if one.get(part.removesuffix("[]")) is not None]
        found = [each for one in inner for each in one] if part.endswith("[]") else inner
    return found


class AnswerMembers(Force):
    """Completes good answers of the operations in the table."""

    def concerns(self, call: AwsCall) -> bool:
        """Whether moto's answer lacks anything."""
        return call.name in table()

    def answer(self, call: AwsCall, ask: Ask) -> HttpAnswer:
        """With every member."""
        answer = ask(call)
        if answer.status >= 300:
            return answer
        result = wire.result_of(call, answer)
        complete(result, table()[call.name])
        return wire.answer_of(call, result, answer)


def _begin(_cloud: Cloud) -> AnswerMembers:
    return AnswerMembers()


def _rows() -> list[Row]:
    return [
        Row(name, f"{counted(len(members), 'member')} that moto leaves out: {', '.join(members)}", SOURCE)
        for name, members in sorted(table().items())
    ]


LAW = Law(
    name="answer-members", title="Complete answers: every member that AWS's have", order=90, begin=_begin, rows=_rows
)
