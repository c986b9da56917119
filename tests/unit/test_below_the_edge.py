"""Below the command line nothing reads the process: two workflows in one process would read the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import orchestrator

ROOT = Path(orchestrator.__file__).parent
ABOVE = {"cli", "local"}
"""The edge, and the cloud of this machine, which has processes of its own."""
PROCESS = {
    "os.environ",
    "os.environb",
    "os.getenv",
    "os.putenv",
    "os.chdir",
    "os._exit",
    "signal.signal",
    "signal.set_wakeup_fd",
    "signal.setitimer",
    "sys.argv",
    "sys.exit",
    "sys.stdin",
    "sys.stdout",
    "sys.stderr",
    "getpass.getuser",
    "boto3.client",
    "boto3.resource",
    "boto3.setup_default_session",
    "botocore.session.get_session",
}
CALLS = {"print", "input", "breakpoint", "exit"}
NEVER = {"click", "getpass"}


def _runs_elsewhere(tree: ast.Module) -> bool:
    """A program that is sent to an instance whole, and started there: its process is its own."""
    last = tree.body[-1] if tree.body else None
    return isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'"


def found_in(source: str) -> Iterator[str]:
    """What of the process is read or changed in it."""
    tree = ast.parse(source)
    if _runs_elsewhere(tree):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := ast.unparse(node)) in PROCESS:
            yield name
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield node.func.id
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.partition(".")[0] in NEVER)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{one.name}" for one in node.names)
            yield from (name for name in names if name in PROCESS or name.partition(".")[0] in NEVER)


def below() -> list[str]:
    files = (file.relative_to(ROOT) for file in ROOT.rglob("*.py"))
    return sorted(str(file) for file in files if file.parts[0] not in ABOVE and file.name != "__main__.py")


@pytest.mark.parametrize("file", below())
def test_nothing_below_the_edge_reads_the_process(file: str) -> None:
    assert list(found_in((ROOT / file).read_text(encoding="utf-8"))) == []


def test_the_edge_does() -> None:
    """Or this test has read the wrong files."""
    assert "workflows/run.py" in below()
    seen = {name for file in (ROOT / "cli").glob("*.py") for name in found_in(file.read_text(encoding="utf-8"))}
    assert {"os.environ", "sys.argv", "signal.signal", "click"} <= seen


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nx = os.environ['A']", ["os.environ"]),
        ("from os import environ", ["os.environ"]),
        ("def f():\n    from click import echo", ["click.echo"]),
        ("import signal\nsignal.signal(2, f)", ["signal.signal"]),
        ("print('x')", ["print"]),
        ("import sys\nsys.stdout.write('x')", ["sys.stdout"]),
        ("import os\nos.environ\nif __name__ == '__main__':\n    f()", []),
    ],
)
def test_it_sees_them(source: str, found: list[str]) -> None:
    assert list(found_in(source)) == found
