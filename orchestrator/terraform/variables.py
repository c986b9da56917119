"""Values given by `-var name=value`, handed to terraform in files that mean exactly the same.

Terraform reads a `-var` literally, as a string, when its variable is declared string, number or bool or without a
type, and as an HCL expression otherwise (also for `any`). A file has no such rule, so the declarations are read:
literal values go to a `.tfvars.json` (where a string is never a template), expressions to a `.tfvars`, in
parentheses, so that one expression can't become two assignments. A declaration that can't be read (syntax that the
parser lacks) counts as a list or map when the value looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import redact
from orchestrator.errors import Invalid, Problem

_PRIMITIVE = {"", "string", "number", "bool"}
_NAME = re.compile(r"[^\W\d][\w-]*")
_USAGE = "write it as -var NAME=VALUE"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable of the root module. `type` is its source text, empty where none is given."""

    name: str
    type: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Declarations:
    """The variables of a root module; `complete` when every file that may declare one could be read."""

    known: Mapping[str, Declaration]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class GivenValues:
    """The given values by the way they are read, and which of their texts are secret."""

    literal: Mapping[str, str]
    expression: Mapping[str, str]
    secrets: Sequence[str]


def split(given: Iterable[str]) -> dict[str, str]:
    """Raw `name=value` texts as a mapping; the last of a name wins, as in terraform. Raises `Invalid` (all at once).

    A defect is described without the value, which may be a secret.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for position, text in enumerate(given, start=1):
        name, equals, value = text.partition("=")
        if not equals or not _NAME.fullmatch(name.strip()):
            problems.append(
                Problem("variable-malformed", f"-var number {position} has no NAME before the =", fix=_USAGE)
            )
        elif any("\ud800" <= letter <= "\udfff" for letter in value):
            # What Python makes of bytes in argv that are no UTF-8; terraform's files are UTF-8.
            place, fix = f"-var {name.strip()}", "give it in UTF-8, or by -var-file"
            problems.append(Problem("variable-malformed", "the value is not UTF-8", place, fix))
        else:
            found[name.strip()] = value
    if problems:
        raise Invalid(*problems)
    return found


def _undeclared(name: str) -> Problem:
    message = f"the root module declares no variable {name!r}"
    return Problem("undeclared-variable", message, f"-var {name}", "correct the name, or declare it in the root module")


def sort(given: Mapping[str, str], declared: Declarations) -> GivenValues:
    """Decide for each value how terraform would read it. Raises `Invalid` for names that nobody declares."""
    unknown = [name for name in given if name not in declared.known]
    if unknown and declared.complete:
        raise Invalid(*(_undeclared(name) for name in unknown))
    literal: dict[str, str] = {}
    expression: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in given.items():
        variable = declared.known.get(name) or _guess(name, value)
        (literal if variable.type in _PRIMITIVE else expression)[name] = value
        if variable.secret:
            secrets += [value] if variable.type in _PRIMITIVE else [value, *redact.strings_in(value)]
    return GivenValues(literal, expression, secrets)


def write(values: GivenValues, folder: Path) -> list[Path]:
    """The files to give by `-var-file`, 0600, in a folder that the caller deletes."""
    files: list[Path] = []
    if values.literal:
        files.append(_private(folder / "literal.tfvars.json", json.dumps(dict(values.literal))))
    for name, value in values.expression.items():
        # A file each, so that a syntax error names the variable. The line break ends a comment in the value.
        files.append(_private(folder / f"{name}.tfvars", f"{name} = ({value}\n)\n"))
    return files


def read_declarations(directory: Path, names: Iterable[str]) -> Declarations:
    """The declarations of `names` in the configuration files of `directory`; override files have the last word."""
    wanted = set(names)
    known: dict[str, Declaration] = {}
    complete = True
    for file in _configuration(directory):
        text = file.read_text(encoding="utf-8", errors="replace")
        if "variable" not in text or not any(name in text for name in wanted):
            continue
        blocks = _json_blocks(text) if file.suffix == ".json" else _hcl_blocks(text)
        if blocks is None:
            complete = False
            continue
        for name, body in blocks:
            if name in wanted:
                known[name] = _merge(known.get(name), name, body)
    return Declarations(known, complete)


def _configuration(directory: Path) -> list[Path]:
    """Root module files, overrides last. OpenTofu prefers a `.tofu` to the `.tf` of the same name: it comes later."""
    found = [
        file for ending in ("tf", "tf.json", "tofu", "tofu.json") for file in sorted(directory.glob(f"*.{ending}"))
    ]
    return sorted(found, key=lambda file: file.name.split(".")[0].endswith("override"))


def _hcl_blocks(text: str) -> list[tuple[str, Mapping[str, Any]]] | None:
    """(name, attributes) of each variable block; None when the parser can't read the file."""
    import hcl2  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - half a second, paid only when -var is given
    from lark.exceptions import LarkError  # noqa: PLC0415 - comes with hcl2

    try:
        blocks = hcl2.loads(text).get("variable", [])
    except LarkError:
        return None
    return [(name.strip('"'), body) for block in blocks for name, body in block.items() if isinstance(body, dict)]


def _json_blocks(text: str) -> list[tuple[str, Mapping[str, Any]]] | None:
    try:
        blocks = json.loads(text).get("variable", {})
    except (ValueError, AttributeError):
        return None
    groups = blocks if isinstance(blocks, list) else [blocks]
    return [(name, body) for group in groups for name, body in group.items() if isinstance(body, dict)]


def _merge(before: Declaration | None, name: str, body: Mapping[str, Any]) -> Declaration:
    earlier = before or Declaration(name)
    kind = str(body.get("type", earlier.type)).removeprefix("${").removesuffix("}").strip('"').strip()
    secret = any(str(body.get(mark, False)).lower() == "true" for mark in ("sensitive", "ephemeral"))
    return Declaration(name, kind, secret or earlier.secret or redact.sounds_secret(name))


def _guess(name: str, value: str) -> Declaration:
    return Declaration(name, "any" if value.lstrip()[:1] in {"[", "{"} else "", redact.sounds_secret(name))


def _private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path
