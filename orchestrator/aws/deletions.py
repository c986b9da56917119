"""What DeleteObjects did not delete. S3 answers 200 all the same, with an error for each object that it kept.

Source: "DeleteObjects" in S3's API reference: an action may succeed for some keys and fail for others, and the answer
holds the code and the message of each failure (`AccessDenied`, `InternalError`, `SlowDown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.errors import problem_of
from orchestrator.errors import OrchestratorError, Transient

_GONE = frozenset({"NoSuchKey", "NoSuchVersion"})
_NAMED = 3
"""How many objects of one reason are named: a bucket can hold millions."""


@dataclass
class UndeletedObjects:
    """What is still in the bucket, by S3's reason. What was gone already is no failure."""

    bucket: str
    _counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _names: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    def note(self, refused: Mapping[str, Any]) -> None:
        """One of the answer's `Errors`."""
        if refused.get("Code") in _GONE:
            return
        action = "DeleteObjectVersion" if refused.get("VersionId") else "DeleteObject"
        why = (str(refused.get("Code", "")), str(refused.get("Message", "")), action)
        self._counts[why] = self._counts.get(why, 0) + 1
        named = self._names.setdefault(why, [])
        if len(named) < _NAMED:
            named.append(str(refused.get("Key", "")))

    def raise_if_any(self) -> None:
        """`Transient` when every reason may pass by itself; else as a refused call of its own would."""
        found = [self._error(why) for why in self._counts]
        lasting = [error for error in found if not isinstance(error, Transient)]
        if found:
            raise type((lasting or found)[0])(*(problem for error in found for problem in error.problems))

    def _error(self, why: tuple[str, str, str]) -> OrchestratorError:
        code, said, action = why
        refused = ClientError({"Error": {"Code": code, "Message": said}}, action)
        error = problem_of(refused, f"s3:{action}")
        (problem,) = error.problems
        count, names = self._counts[why], self._names[why]
        more = f" and {count - len(names)} more" if count > len(names) else ""
        message = f"not deleted from {self.bucket}: {', '.join(names)}{more}: {problem.message}"
        return type(error)(replace(problem, message=message))
