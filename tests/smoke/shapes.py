"""A call of AWS and its answer as shapes: which members they have, of what kind and length, and no value of anybody's.

Kept of values are those that the service's own model lists (`enum(FARGATE)`), and states in the model's words
(`word(available)`). Kept of an error are its code and those words that the model has too and the request has not. So
the record can be given away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from botocore.loaders import create_loader
from botocore.model import OperationModel, Shape

Line = Mapping[str, Any]
"""`by` (`orchestrate`, `terraform`), `call` (`service:Operation`), `request`, `answer` (path → kind), or `error` with
`words`; `status` of HTTP; `seconds`."""
HIDDEN = "…"
_WORD = re.compile(r"[A-Za-z]+")
_STATE = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_STATES = ("Status", "State", "status", "state")
_PLAIN = ("structure", "boolean", "integer", "long", "float", "double", "timestamp")


@cache
def vocabulary(service: str) -> frozenset[str]:
    """Every word that the service's model has, its documentation included."""
    description = create_loader().load_service_model(service, "service-2")
    return frozenset(word.lower() for word in _WORD.findall(json.dumps(description)))


def line(by: str, model: OperationModel, given: Mapping[str, Any], answer: Mapping[str, Any], seconds: float) -> Line:
    """One call, its answer as boto3 gives it."""
    service = model.service_model.service_name
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    common = {
        "by": by,
        "call": f"{service}:{model.name}",
        "request": described(service, model.input_shape, given),
        "status": status,
        "seconds": round(seconds, 3),
    }
    if status < HTTPStatus.MULTIPLE_CHOICES or "Error" not in answer:
        return common | {"answer": described(service, model.output_shape, answer)}
    error = answer["Error"]
    said = frozenset(word.lower() for one in _texts(given) for word in _WORD.findall(one))
    return common | {
        "error": error.get("Code", ""),
        "words": plain(error.get("Message", ""), vocabulary(service) - said),
    }


def plain(words: str, known: frozenset[str]) -> str:
    """The words that are known; one that is more than letters (a name, a number, an ARN) never is."""
    return re.sub(r"\S+", lambda found: found[0] if found[0].strip(".,:;()").lower() in known else HIDDEN, words)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def described(service: str, shape: Shape | None, value: Any) -> dict[str, str]:
    """Path → kind (`string(12)`, `list(3)`, `enum(ACTIVE)`, …) of everything that is in the value."""
    return dict(_members(service, shape, value, "")) if shape is not None else {}


def _members(service: str, shape: Shape, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, _kind(service, shape, value, path)
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in getattr(shape, "members", {}).items():
            if value.get(name) is not None:
                yield from _members(service, member, value[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name in ("list", "map"):
        inner: Shape = getattr(shape, "member" if shape.type_name == "list" else "value")
        mark = "[]" if shape.type_name == "list" else "{}"
        for one in value if shape.type_name == "list" else value.values():
            yield from _members(service, inner, one, f"{path}{mark}")


def _kind(service: str, shape: Shape, value: Any, path: str) -> str:
    if isinstance(value, str) and value in getattr(shape, "enum", ()):
        return f"enum({value})"
    if isinstance(value, str) and path.endswith(_STATES) and _is_state(service, value):
        return f"word({value})"
    if shape.type_name in _PLAIN:
        return str(shape.type_name)
    return f"{shape.type_name}({len(value) if hasattr(value, '__len__') else '?'})"


def _is_state(service: str, value: str) -> bool:
    return bool(_STATE.fullmatch(value)) and vocabulary(service).issuperset(value.lower().split("-"))


def read(file: Path) -> list[Line]:
    """All lines of a record."""
    return [json.loads(one) for one in file.read_text().splitlines() if one.strip()]
