"""Signals, races, full disks and closed outputs: the real command line, real processes, a real local cloud."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.journal import RunRecord, records
from orchestrator.engine.lock import LockOwner
from tests.e2e.stage import COMMAND_SECONDS, Ended, Stage
from tests.faults.figures import tell
from tests.waiting import until

pytestmark = pytest.mark.cloud

TOGETHER = 8


class Runs:
    """A folder of one test's own, where commands run on the stage's stack."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        (folder / "contract.json").write_text(json.dumps(stage.contract))

    def begin(
        self, *arguments: str, out: Any = subprocess.PIPE, through: tuple[str, ...] = (), **more: str
    ) -> subprocess.Popen[str]:
        """`orchestrate run`, in a session of its own, started by `through`."""
        command = [
            *through,
            sys.executable,
            "-P",
            "-m",
            "orchestrator",
            "run",
            "--contract",
            "contract.json",
            "--poll",
            "0.5",
        ]
        return subprocess.Popen(
            [*command, "--database-transport", "direct", *arguments],
            env=self.stage.environment(**more),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def lock(self) -> FileLock:
        return FileLock(self.folder / ".orchestrate" / "orchestrate.lock")

    @property
    def records(self) -> list[RunRecord]:
        return records(self.folder / ".orchestrate" / "runs")

    @property
    def record(self) -> RunRecord:
        (only,) = self.records
        return only


@pytest.fixture
def runs(cold: Stage, tmp_path: Path) -> Runs:
    return Runs(cold, tmp_path)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    assert "Traceback" not in (out or "") + err
    return process.returncode, out or "", err


def line_with(out: IO[str] | None, *words: str) -> str:
    assert out is not None
    for line in out:
        if all(word in line for word in words):
            return line
    pytest.fail(f"it ended without saying {words}")


LIMITED = ("sh", "-c", 'ulimit -f 5; export PYTHONDONTWRITEBYTECODE=1; exec "$@"', "sh")
"""No file may grow beyond 2560 bytes: what a full disk is to a journal, without filling one.

Python would keep its compiled modules cut off there, for whoever comes next.
"""

ON_THE_TERMINAL = (
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])",
)
"""Its standard output becomes the terminal that controls it."""


def test_a_full_disk_ends_the_run_before_the_next_change(runs: Runs) -> None:
    status, out, _ = end(runs.begin("--json", through=LIMITED))
    events = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert {event["code"] for event in events if event["event"] == "step-failed"} >= {"journal-unwritable"}
    assert events[-1]["outcome"] == "failed"
    assert runs.record.outcome == "unfinished"
    intended = [line for line in runs.record.lines if line["event"] == "change-intended"]
    assert events[-1]["changed"] <= len(intended)
    assert runs.lock.holder() is None


def test_of_eight_runs_at_once_exactly_one_makes_each_change(runs: Runs) -> None:
    together = [runs.begin("--json", "--lock-timeout", "500") for _ in range(TOGETHER)]
    endings = [end(process) for process in together]
    assert [status for status, _, _ in endings] == [0] * TOGETHER
    changed = sorted(json.loads(out.splitlines()[-1])["changed"] for _, out, _ in endings)
    assert changed[:-1] == [0] * (TOGETHER - 1)
    assert changed[-1] > 0
    made = Counter(
        (line["step"], line["subject"], line["detail"])
        for record in runs.records
        for line in record.lines
        if line["event"] == "change-intended"
    )
    assert set(made.values()) == {1}
    assert sum(made.values()) == changed[-1]
    assert any("waiting for `orchestrate run`" in out for _, out, _ in endings)
    assert runs.lock.holder() is None
    tell(f"races: {TOGETHER} runs of one stack at once, {changed[-1]} changes, each made once")


def test_who_doesn_t_wait_is_told_who_is_at_work(runs: Runs) -> None:
    lock = runs.lock
    lock.take(LockOwner(run="another", command="apply", user="ana", host="laptop", pid=4711, since="today"))
    status, out, _ = end(runs.begin("--json"))
    assert status == 5
    (failed,) = [event for event in map(json.loads, out.splitlines()) if event["event"] == "step-failed"]
    assert (failed["code"], failed["outcome"]) == ("locked", "locked")
    assert "ana@laptop, process 4711" in failed["detail"]
    lock.check()
    lock.give_back()
    assert runs.record.outcome == "locked"


@contextmanager
def offline_runner(stage: Stage) -> Iterator[None]:
    """Something to wait for."""
    stage.fault("runner-offline")
    yield
    stage.clear_faults()


WAITS = ("--json", "--only", "runner", "--database-transport", "ssm")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_waits_ends_it_cleanly(runs: Runs, number: signal.Signals) -> None:
    with offline_runner(runs.stage):
        process = runs.begin(*WAITS)
        line_with(process.stdout, "step-waiting", "runner")
        assert runs.lock.holder() is not None
        os.killpg(process.pid, number)
        status, out, _ = end(process)
    assert status == 130
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["outcome"]) == ("run-finished", "interrupted")
    assert "run the same command again to continue" in out
    assert runs.lock.holder() is None
    assert runs.record.outcome == "interrupted"


def test_with_state_in_s3_the_lock_is_there_and_is_given_back(runs: Runs) -> None:
    s3 = runs.stage.aws.client("s3")
    s3.create_bucket(Bucket="onyx-state", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    key, data = "prod/terraform.tfstate.orchestrate-lock", runs.folder / ".terraform"
    data.mkdir()
    backend = {"type": "s3", "config": {"bucket": "onyx-state", "key": "prod/terraform.tfstate", "region": "us-west-2"}}
    (data / "terraform.tfstate").write_text(json.dumps({"version": 3, "backend": backend}))
    with offline_runner(runs.stage):
        process = runs.begin(*WAITS)
        line_with(process.stdout, "step-waiting", "runner")
        held = LockOwner.parse(s3.get_object(Bucket="onyx-state", Key=key)["Body"].read())
        assert held.pid == process.pid
        status, out, _ = end(runs.begin(*WAITS))
        assert status == 5
        assert f"process {process.pid}" in out
        process.terminate()
        assert end(process)[0] == 130
    assert "Contents" not in s3.list_objects_v2(Bucket="onyx-state")


def test_a_second_signal_ends_it_now(runs: Runs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = runs.begin("--json", AWS_ENDPOINT_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        line_with(process.stdout, "run-started")
        connection, _ = silent.accept()  # now it waits in a call that is never answered

        def dead() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        until("it has ended", dead)
        connection.close()
    assert end(process)[0] == 130
    assert runs.lock.holder() is None
    assert runs.record.outcome == "interrupted"


def test_kill_9_leaves_no_lock_and_a_record_that_says_unfinished(runs: Runs) -> None:
    with offline_runner(runs.stage):
        process = runs.begin(*WAITS)
        line_with(process.stdout, "step-waiting", "runner")
        process.kill()
        end(process)
    assert runs.lock.holder() is None
    assert runs.record.outcome == "unfinished"


def test_a_closed_terminal_is_a_signal(runs: Runs) -> None:
    ours, theirs = pty.openpty()

    with offline_runner(runs.stage):
        process = runs.begin(*WAITS[1:], out=theirs, through=ON_THE_TERMINAL)
        os.close(theirs)
        said = b""
        while b"runner" not in said:
            said += os.read(ours, 1000)
        os.close(ours)
        status, _, _ = end(process)
    assert status == 130
    assert runs.lock.holder() is None
    assert runs.record.outcome == "interrupted"


@pytest.mark.parametrize("form", [("--json",), ()], ids=["json", "text"])
def test_nobody_listens_any_more_and_the_run_goes_on(runs: Runs, form: tuple[str, ...]) -> None:
    process = runs.begin(*form)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    status, _, err = end(process)
    assert status == 0
    assert err.count("the run continues") == 1
    assert len(err.splitlines()) == 1
    assert runs.record.outcome == "succeeded"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_stops_nothing(runs: Runs) -> None:
    with Path("/dev/full").open("w") as full:
        status, _, err = end(runs.begin("--json", out=full))
    assert status == 0
    assert "No space left on device" in err
    assert runs.record.outcome == "succeeded"


def test_history_and_unlock_tell_of_it(runs: Runs) -> None:
    end(runs.begin("--json", "--reason", "a ticket"))

    def ask(*words: str) -> Ended:
        return runs.stage.orchestrate(*words, "--chdir", str(runs.folder))

    (listed,) = ask("history", "--json").events
    assert (listed["command"], listed["outcome"], listed["changed"]) == ("run", "succeeded", 0)
    shown = ask("history", listed["run"][:18])
    assert shown.status == 0
    assert "a ticket" in shown.stdout
    assert "succeeded, changed: 0" in shown.stdout
    lines = ask("history", "last", "--json").events
    assert [lines[0]["event"], lines[-1]["event"]] == ["run-opened", "run-finished"]
    assert ask("history", "nonsense").status == 2
    lock = runs.lock
    assert "nobody holds it" in ask("unlock").stdout
    lock.take(LockOwner(run="another", command="apply", user="ana", host="laptop", pid=4711, since="today"))
    said = json.loads(ask("lock", "--json").stdout)
    assert said["place"] == str(lock.place)
    assert "ana@laptop" in said["holder"]
    assert "held by `orchestrate apply` of ana@laptop" in ask("lock").stdout
    refused = ask("unlock")
    assert refused.status == 2
    assert "ana@laptop" in refused.stderr
    freed = ask("unlock", "--force")
    assert freed.status == 0
    assert "ana@laptop" in freed.stdout
    assert runs.lock.holder() is None
