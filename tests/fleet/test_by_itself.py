"""What happens by itself: a calendar's times, the rounds of the watch; and a command for each stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.fleet import calendar
from orchestrator.fleet.engine import FleetEngine
from orchestrator.fleet.orders import FINISHED
from tests.fleet.database import DatabaseServer
from tests.fleet.processes import PlayedFleet, played
from tests.waiting import until

KEEPS = "import pathlib, sys; pathlib.Path('told').open('a').write(sys.stdin.read() + chr(10))"
NOTIFY = f"""
[notify]
command = ["{sys.executable}", "-c", "{KEEPS}"]
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[PlayedFleet]:
    with played(tmp_path, ("a", "b"), NOTIFY) as made:
        made.open()
        yield made


@pytest.fixture
def engine(fleet: PlayedFleet) -> Iterator[FleetEngine]:
    (fleet.folder / ".orchestrate").mkdir()
    with closing(FleetEngine(f"sqlite:///{fleet.folder}/.orchestrate/fleet.sqlite")) as made:
        yield made


def comes(engine: FleetEngine, schedule: str, verb: str) -> None:
    """The schedule's time has come; until the order that it gives has ended."""
    before = len(engine.orders(f"{verb}-"))
    engine._client.trigger_schedule(schedule)

    def ended() -> bool:
        found = engine.orders(f"{verb}-")
        return len(found) > before and found[0].state == FINISHED

    until(f"the order of {schedule} has ended", ended)


def test_a_calendar_gives_its_orders_to_whom_it_names(fleet: PlayedFleet, engine: FleetEngine, tmp_path: Path) -> None:
    kept = calendar.read("pause stack=a at 20:00 Europe/Zurich", tmp_path)
    assert not engine.schedules.keep("nights", kept)
    assert engine.schedules.keep("nights", kept)
    assert engine.schedules.calendars() == {"nights": kept}
    fleet.worker()
    comes(engine, "calendar/nights/0", "pause")
    comes(engine, "calendar/nights/keep", "keep-paused")
    assert [name for name, _ in fleet.of("done")] == ["a", "a"]
    with pytest.raises(Invalid):
        engine.schedules.require("days")
    engine.schedules.require("nights")
    assert engine.schedules.calendars() == {}


def test_the_watch_tells_once_what_has_become_worse_and_that_it_is_over(
    fleet: PlayedFleet, engine: FleetEngine
) -> None:
    engine.schedules.watch(720, (), ())
    fleet.worker()
    fleet.open("fails-a")
    for _ in range(2):
        comes(engine, "watch", "watch")
    (fleet.folder / "fails-a").unlink()
    comes(engine, "watch", "watch")
    told = [json.loads(line) for line in (fleet.folder / "told").read_text().splitlines()]
    assert [(one["stack"], one["outcome"], [each["code"] for each in one["failures"]]) for one in told] == [
        ("a", "failed", ["broken"]),
        ("a", "succeeded", []),
    ]


def test_a_command_of_ones_own_runs_for_each_stack_and_its_output_stays_here(fleet: PlayedFleet) -> None:
    program = "import sys; print(f'printed-{3 + 4}'); sys.exit(3)"
    ended = fleet.said(fleet.run(command=(sys.executable, "-c", program)))
    assert ended == {"a": "failed", "b": "failed"}
    logs = sorted((fleet.folder / ".orchestrate" / "exec").glob("exec-*.log"))
    assert [one.read_text() for one in logs] == ["printed-7\n"] * 2
    assert [one.stat().st_mode & 0o077 for one in logs] == [0, 0]
    kept = b"".join(one.read_bytes() for one in (fleet.folder / ".orchestrate").glob("fleet.sqlite*"))
    assert b"printed-" in kept  # the command line
    assert b"printed-7" not in kept


def test_a_worker_of_a_shared_database_runs_no_commands_unless_it_is_told_to(
    server: DatabaseServer, tmp_path: Path
) -> None:
    with played(tmp_path, ("a",), ORCHESTRATE_FLEET_DATABASE=server.database()) as fleet:
        fleet.worker()
        assert fleet.said(fleet.run(command=("touch", "made"))) == {"a": "refused"}
        assert not (fleet.folder / "made").exists()


def test_one_stack_is_watched_without_a_fleet(tmp_path: Path) -> None:
    """Its orchestrate.toml says who hears of it. Here nothing can be looked at: that is told once."""
    (tmp_path / "orchestrate.toml").write_text(NOTIFY)
    command = [sys.executable, "-P", "-m", "orchestrator", "schedule", "--watch"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORCHESTRATE_"))}
    with subprocess.Popen([*command, "720"], cwd=tmp_path, env=kept, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "every 720 minutes" in said
        assert "to those that [notify] names" in said
        with closing(FleetEngine(f"sqlite:///{tmp_path}/.orchestrate/fleet.sqlite")) as engine:
            for _ in range(2):
                comes(engine, "watch", "watch")
        process.send_signal(signal.SIGINT)
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [(one["outcome"], [each["code"] for each in one["failures"]]) for one in told] == [
        ("failed", ["no-outputs"]),
    ]
    ended = subprocess.run([*command, "off"], cwd=tmp_path, env=kept, capture_output=True, text=True, check=True)
    assert "the watch has ended" in ended.stdout
