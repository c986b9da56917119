"""`orchestrate --help` imports nothing heavy: that is what `make bench` measures, held without a clock."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "boto3",
    "botocore",
    "dbos",
    "dns",
    "moto",
    "psycopg",
    "pydantic",
    "python_terraform",
    "rich",
    "sqlalchemy",
    "starlette",
    "tenacity",
    "urllib3",
    "uvicorn",
}

PROGRAM = """
import json, sys
from orchestrator.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["local", "--help"], ["fleet", "--help"], ["serve", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert "click" in imported
    assert imported & HEAVY == set()


EVERYTHING = """
import importlib, json, pkgutil, sys
for missing in ("dbos", "sqlalchemy", "croniter", "icalendar", "recurring_ical_events"):
    sys.modules[missing] = None
import orchestrator
for one in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
    if not one.name.startswith(("orchestrator.local", "orchestrator.__main__")):
        importlib.import_module(one.name)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("orchestrator."))))
"""


def test_without_the_extra_every_module_can_be_imported() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout.splitlines()[-1])
    assert {"orchestrator.fleet.worker", "orchestrator.workflows.run", "orchestrator.cli.schedule"} <= set(imported)
