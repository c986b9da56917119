"""What AWS was asked and what it answered, as shapes: `python -m tests.smoke.recording FILE ORCHESTRATE-ARGUMENT…`.

Runs one command of orchestrate in this process, and writes a line of JSON for each call: its members, their kinds and
lengths, how long it took, the error's code. Of values only those are kept that the service's model itself lists
(enums); of an error, the words that are no name, number or ARN. So that the file can be given away.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.handlers
from botocore.model import OperationModel, Shape

Line = Mapping[str, Any]
"""`call` (`service:Operation`), `request` and `answer` (path → kind), or `error` with `words`; `seconds`."""
_TELLING = re.compile(r"\S*(?:\d|[/:'\"@]|i-|arn)\S*")
"""A word that may name something of the account's."""
HIDDEN = "…"


def described(shape: Shape | None, value: Any) -> dict[str, str]:
    """Path → kind (`string(12)`, `list(3)`, `enum(ACTIVE)`, …) of everything that is in the value."""
    return dict(_members(shape, value, "")) if shape is not None else {}


def _members(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, _kind(shape, value)
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in getattr(shape, "members", {}).items():
            if value.get(name) is not None:
                yield from _members(member, value[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name in ("list", "map"):
        inner: Shape = getattr(shape, "member" if shape.type_name == "list" else "value")
        mark = "[]" if shape.type_name == "list" else "{}"
        for one in value if shape.type_name == "list" else value.values():
            yield from _members(inner, one, f"{path}{mark}")


def _kind(shape: Shape, value: Any) -> str:
    if value in getattr(shape, "enum", ()):
        return f"enum({value})"
    if shape.type_name in ("structure", "boolean", "integer", "long", "float", "double", "timestamp"):
        return str(shape.type_name)
    return f"{shape.type_name}({len(value) if hasattr(value, '__len__') else '?'})"


def plain(words: str) -> str:
    """An error's words without what could be somebody's."""
    return _TELLING.sub(HIDDEN, words)


def line(model: OperationModel, given: Mapping[str, Any], answer: Mapping[str, Any], seconds: float) -> Line:
    """One call."""
    common = {
        "call": f"{model.service_model.service_name}:{model.name}",
        "request": described(model.input_shape, given),
        "status": answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
        "seconds": round(seconds, 3),
    }
    if "Error" in answer:
        error = answer["Error"]
        return common | {"error": error.get("Code", ""), "words": plain(error.get("Message", ""))}
    return common | {"answer": described(model.output_shape, answer)}


class Recorder:
    """Writes lines as they come. Thread-safe."""

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._given = threading.local()

    def install(self) -> None:
        """From now on each session of botocore in this process tells of its calls."""
        botocore.handlers.BUILTIN_HANDLERS += [
            ("provide-client-params", self._asked),
            ("after-call", self._answered),
        ]

    def _asked(self, params: Mapping[str, Any], **_: Any) -> None:
        self._given.params, self._given.since = dict(params), self._monotonic()

    def _answered(self, parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        given, since = getattr(self._given, "params", {}), getattr(self._given, "since", self._monotonic())
        written = json.dumps(line(model, given, parsed, self._monotonic() - since), sort_keys=True)
        with self._lock, self._file.open("a") as file:
            file.write(f"{written}\n")


def read(file: Path) -> list[Line]:
    """All lines of a record."""
    return [json.loads(one) for one in file.read_text().splitlines() if one.strip()]


def main(arguments: Sequence[str]) -> None:
    """Run the command; ends the process with its status."""
    Recorder(Path(arguments[0])).install()
    from orchestrator.cli import main as orchestrate  # noqa: PLC0415 - after the recorder is there

    sys.argv = ["orchestrate", *arguments[1:]]
    orchestrate()


if __name__ == "__main__":
    main(sys.argv[1:])
