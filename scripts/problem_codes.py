"""Every problem the code can report, read from its source with `ast`: codes, messages and fixes as templates.

It knows calls of `Problem` and of what becomes one (`PARAMETERS`), mappings (`TABLES`), and returned pairs of code and
fix. A code that is only passed on is found where it comes from.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeGuard

from orchestrator.index import PROVIDERS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "orchestrator"


@dataclass(frozen=True, slots=True)
class Source:
    """One place that makes a problem, as templates: `{…}` stands for what is filled in."""

    code: str
    file: str
    message: str
    fix: str
    kind: str = ""
    """What it is made with (`PARAMETERS`); empty in a table."""
    fixed: bool = True
    """Whether it has a fix, even one that is all filled in."""


PARAMETERS = {
    "Problem": ("code", "message", "context", "fix", "link"),
    "Wait": ("message", "code", "fix", "poll"),
    "Cause": ("code", "message", "fix", "cure", "evidence"),
    "_Rule": ("pattern", "code", "message", "fix", "cure"),
    "LogRule": ("pattern", "code", "message", "fix", "cure"),
    "_Meaning": ("code", "message", "fix", "cure"),
    "LoginRefusal": ("pattern", "code", "meaning", "fix"),
    "Failed": ("code", "message"),
    "FindingReported": (),
}
"""What is called with a code in it, and the names of its positional arguments."""

TABLES = {"_CODES", "_FIXES"}
"""Module-level mappings that hold codes as values, alone or with their fix."""

BY_CODE = {"_PASSING", "_LASTING"}
"""Module-level mappings from a code to its fix."""

INTERNAL = frozenset({"tool-missing"})
"""The runner's word for what is shown as `runner-tool-missing`."""

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+|interrupted|throttled")
CONSTANT = re.compile(r"\{(_?[A-Z][A-Z0-9_]+)\}")
"""The placeholder of a module's constant, whose text is known."""


@cache
def problems() -> Sequence[Source]:
    """Every problem of the code base, sorted."""
    found: set[Source] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        found.update(map(_with_constants, _of_module(ast.parse(path.read_text(encoding="utf-8")), name)))
    return sorted(found, key=lambda one: (one.code, one.file, one.message, one.fix, one.kind))


def _with_constants(one: Source) -> Source:
    """The same with the text of its module's constants in place of their names."""
    if not CONSTANT.search(one.message + one.fix):
        return one
    module = importlib.import_module(one.file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))

    def text(found: re.Match[str]) -> str:
        value = getattr(module, found[1], None)
        return str(value) if isinstance(value, str | int | float) else found[0]

    return replace(one, message=CONSTANT.sub(text, one.message), fix=CONSTANT.sub(text, one.fix))


def _of_module(tree: ast.Module, file: str) -> Iterator[Source]:
    known = _assigned(tree)
    yield from _of_scope(tree, known, file)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            yield from _of_scope(scope, known | _assigned(scope), file)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Dict):
            if node.targets[0].id in TABLES:
                yield from _of_table(node.value, file)
            elif node.targets[0].id in BY_CODE:
                yield from _of_fixes(node.value, file)


def _of_table(table: ast.Dict, file: str) -> Iterator[Source]:
    for value in table.values:
        texts = [_literal(one) for one in (value.elts if isinstance(value, ast.Tuple) else [value])]
        if KEBAB.fullmatch(texts[0]):
            yield Source(texts[0], file, "", texts[1] if len(texts) > 1 else "")


def _of_fixes(table: ast.Dict, file: str) -> Iterator[Source]:
    for key, value in zip(table.keys, table.values, strict=True):
        yield Source(_literal(key) if key else "", file, "", _literal(value))


def _of_scope(scope: ast.Module | ast.FunctionDef, names: Mapping[str, list[ast.expr]], file: str) -> Iterator[Source]:
    for node in _own(scope):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PARAMETERS:
            yield from _of_call(node, node.func.id, names, file)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            code, fix = map(_literal, node.value.elts)
            if KEBAB.fullmatch(code):
                yield Source(code, file, "", fix)


def _of_call(call: ast.Call, kind: str, names: Mapping[str, list[ast.expr]], file: str) -> Iterator[Source]:
    given = dict(zip(PARAMETERS[kind], call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    message, fix = (" / ".join(_said(given[key], call, names)) if key in given else "" for key in ("message", "fix"))
    message = message or (" / ".join(_said(given["meaning"], call, names)) if "meaning" in given else "")
    for template in _texts(given["code"], names) if "code" in given else ():
        for code in _of_each_kind(template):
            if code and code not in INTERNAL and not code.startswith("{"):
                yield Source(code, file, message, fix, kind, "fix" in given)


def _of_each_kind(code: str) -> Sequence[str]:
    """A code that begins with the name of a kind of index: one of each kind."""
    return [code.replace("{name}", one.name, 1) for one in PROVIDERS] if code.startswith("{name}-") else [code]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module without those of the functions in it."""
    waiting = [scope]
    while waiting:
        node = waiting.pop()
        if node is not scope:
            yield node
        waiting += [one for one in reversed([*ast.iter_child_nodes(node)]) if not isinstance(one, ast.FunctionDef)]


def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """Name → what is assigned to it here."""
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in _own(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id].append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=True):
                        if isinstance(name, ast.Name):
                            found[name.id].append(value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and found[node.target.id]:
            before = found[node.target.id][-1]
            found[node.target.id].append(ast.copy_location(ast.BinOp(before, node.op, node.value), node))
    return dict(found)


def _texts(node: ast.expr, names: Mapping[str, list[ast.expr]]) -> list[str]:
    """What an expression can say, as templates."""
    if isinstance(node, ast.Name) and node.id in names:
        without = {name: values for name, values in names.items() if name != node.id}
        return list(dict.fromkeys(text for value in names[node.id] for text in _texts(value, without)))
    if isinstance(node, ast.BinOp):
        return [left + right for left in _texts(node.left, names) for right in _texts(node.right, names)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, names), *_texts(node.orelse, names)]
    return [_literal(node)]


def _said(node: ast.expr, call: ast.Call, names: Mapping[str, list[ast.expr]]) -> list[str]:
    """The same, of a name only what was assigned last before the call; nothing where all of it is filled in."""
    before = {name: [one for one in values if one.lineno <= call.lineno][-1:] for name, values in names.items()}
    return [text for text in _texts(node, before) if not re.fullmatch(r"(\{[^{}]*\}[: ]*)*", text)]


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _literal(node.left) + _literal(node.right)
    if isinstance(node, ast.FormattedValue) and _is_counted(node.value):
        return f"{{{_placeholder(node.value)}}} {_literal(node.value.args[1])}s"
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.JoinedStr)
    ):
        return _literal(node.func.value)
    return f"{{{_placeholder(node)}}}"


def _is_counted(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "counted"


def _placeholder(node: ast.expr) -> str:
    """A short name for what is filled in."""
    if isinstance(node, ast.FormattedValue | ast.Subscript | ast.Starred):
        return _placeholder(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return "error" if node.attr == "__name__" else node.attr
    if isinstance(node, ast.Call) and node.args:
        return _placeholder(node.args[0])
    return "…"
