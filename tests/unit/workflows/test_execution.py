"""What holds for every command: its record, its secrets, its changes, its end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import edge
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.journal import RunRecord, records
from orchestrator.engine.unconfirmed import WINDOW
from orchestrator.errors import Interrupted, Locked, OrchestratorError, Outcome, PartlyFailed, Problem, Transient
from orchestrator.events import Emit, StepDone
from orchestrator.workflows.caller import Caller, Question, StackRef, StepOptions
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.origin import why, without_values
from orchestrator.workflows.parent_run import parent, stale

SECRET = "canary-0123456789"
Work = Callable[[Execution], Outcome]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside, signals stay pytest's, and one secret."""
    monkeypatch.setattr(edge, "listen", lambda _asked_to_stop: None)
    monkeypatch.setenv("A_DEPLOY_TOKEN", SECRET)
    monkeypatch.delenv("ORCHESTRATE_PARENT", raising=False)


def ended(folder: Path, work: Work, *, as_json: bool = True, **settings: Any) -> int:
    """The exit status of the command line, as which the work is done."""

    def run(stack: StackRef, _options: None, *, emit: Emit, caller: Caller) -> Outcome:
        return perform("run", stack, work, emit=emit, caller=caller, recorded=True)

    with pytest.raises(SystemExit) as raised:
        edge.carry_out(run, None, {"directory": folder, "as_json": as_json, **settings})
    assert isinstance(raised.value.code, int)
    return raised.value.code


def record(folder: Path) -> RunRecord:
    (only,) = records(folder / ".orchestrate" / "runs")
    return only


def test_a_run_is_recorded_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.exclusive(), execution.change("databases", {"a": "make it"}):
            pass
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work, reason=f"a ticket, {SECRET}") == 0
    found = record(tmp_path)
    assert [line["event"] for line in found.lines] == ["run-opened", "change-intended", "change-made", "run-finished"]
    assert found.header["why"] == "a ticket, ***"
    assert {"user", "host", "pid", "options", "directory", "versions", "command"} <= found.header.keys()
    assert (found.outcome, found.changed) == ("succeeded", 1)


def test_the_intent_is_on_disk_before_the_change(tmp_path: Path) -> None:
    seen: list[str] = []

    def work(execution: Execution) -> Outcome:
        with execution.change("databases", {"a": "make it"}):
            seen.extend(change["detail"] for change in record(tmp_path).open_changes)
        return Outcome.SUCCEEDED

    ended(tmp_path, work)
    assert seen == ["make it"]
    assert not record(tmp_path).open_changes


def test_a_change_that_fails_is_recorded_so_and_not_counted(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.change("databases", {"a": "make it", "b": "make it"}):
            raise OrchestratorError(Problem("refused-by-server", f"no: {SECRET}"))
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work) == 1
    found = record(tmp_path)
    made = [(line["subject"], line["outcome"]) for line in found.lines if line["event"] == "change-made"]
    assert made == [("a", "failed"), ("b", "failed")]
    assert found.changed == 0


def test_of_a_batch_the_record_says_for_each_whether_it_arrived(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.change("redeploy", dict.fromkeys("abcd", "start it again")):
            denied = OrchestratorError(Problem("access-denied", f"no: {SECRET}"))
            lost = Transient(Problem("aws-unreachable", "connection reset"))
            raise PartlyFailed({"b": denied, "d": lost})
        return Outcome.SUCCEEDED

    ended(tmp_path, work)
    found = record(tmp_path)
    ends = [line for line in found.lines if line["event"] == "change-made"]
    made = {line["subject"]: (line["outcome"], line["changed"]) for line in ends}
    assert made == {"a": ("succeeded", 1), "b": ("failed", 0), "c": ("succeeded", 1), "d": ("unknown", 0)}
    assert found.changed == 2
    assert [change["subject"] for change in found.open_changes] == ["d"], "whose end nobody knows"
    assert SECRET not in str(found.lines)


@pytest.mark.parametrize("error", [Transient(Problem("throttled", "wait")), KeyError("a defect"), KeyboardInterrupt()])
def test_what_ended_without_an_answer_is_not_said_to_have_failed(tmp_path: Path, error: BaseException) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.change("redeploy", {"a": "start it again"}):
            raise error
        return Outcome.SUCCEEDED

    with suppress(BaseException):
        ended(tmp_path, work)
    assert [line["outcome"] for line in record(tmp_path).lines if line["event"] == "change-made"] == ["unknown"]


def test_after_a_request_to_stop_no_change_begins(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        execution.clock.interrupt()
        with execution.change("databases", {"a": "make it"}):
            pytest.fail("it was made")
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work) == 130
    assert "change-intended" not in {line["event"] for line in record(tmp_path).lines}


def test_who_lost_the_lock_changes_nothing(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.exclusive():
            (tmp_path / ".orchestrate" / "orchestrate.lock.json").unlink()
            with execution.change("databases", {"a": "make it"}):
                pytest.fail("it was made")
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work) == Outcome.LOCKED.status
    assert "change-intended" not in {line["event"] for line in record(tmp_path).lines}


@pytest.mark.parametrize("seen", [False, True])
def test_what_an_earlier_run_sent_and_did_not_see_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    """The lock is ours by then: nobody else sends anything meanwhile."""
    waited: list[float] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, seconds: waited.append(seconds))

    def interrupted(execution: Execution) -> Outcome:
        with execution.exclusive():
            with execution.change("redeploy", {"a": "start it again"}):
                assert not waited
            if seen:
                execution.emit(StepDone(step="redeploy", subject="a"))
            raise Interrupted(Problem("interrupted", "stopped on request"))

    def next_one(execution: Execution) -> Outcome:
        with execution.exclusive():
            assert [0 < seconds <= WINDOW for seconds in waited] == [True] * (not seen)
        return Outcome.SUCCEEDED

    assert ended(tmp_path, interrupted) == Outcome.INTERRUPTED.status
    assert ended(tmp_path, next_one) == 0


def test_what_can_t_be_recorded_isn_t_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(execution: Execution) -> Outcome:
        execution.emit(StepDone(step="before"))
        monkeypatch.setattr("os.write", _no_space)
        execution.emit(StepDone(step="lost"))
        execution.emit(StepDone(step="lost"))
        with execution.change("databases", {"a": "make it"}):
            pytest.fail("it was made")
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work) == 1


def _no_space(_file: int, _data: bytes) -> int:
    raise OSError(28, "No space left on device")


def test_that_the_record_is_incomplete_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(execution: Execution) -> Outcome:
        monkeypatch.setattr("os.write", _no_space)
        for _ in range(3):
            execution.emit(StepDone(step="databases"))
        return Outcome.SUCCEEDED

    assert ended(tmp_path, work) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events].count("finding-reported") == 1
    assert [event["event"] for event in events].count("step-done") == 3


def test_a_folder_that_can_t_be_written_is_invalid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    def work(_execution: Execution) -> Outcome:
        pytest.fail("it began")

    assert ended(tmp_path, work, journal_dir=str(tmp_path / "file" / "runs")) == Outcome.INVALID.status
    failed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert failed["code"] == "journal-unwritable"
    assert "--journal-dir" in failed["fix"]


def test_no_secret_in_what_is_shown_or_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work(execution: Execution) -> Outcome:
        execution.redact.learn(["learned-on-the-way"])
        execution.emit(StepDone(step="databases", detail=f"{SECRET} learned-on-the-way"))
        raise OrchestratorError(Problem("bad", f"{SECRET}", SECRET, f"not {SECRET}"))

    ended(tmp_path, work)
    said = capsys.readouterr()
    for text in (said.out, said.err, "".join(file.read_text() for file in tmp_path.rglob("*.jsonl"))):
        assert SECRET not in text
        assert "learned-on-the-way" not in text
    assert "***" in said.out


@pytest.mark.parametrize("as_json", [True, False])
def test_a_defect_of_ours_ends_cleanly_without_secrets(
    tmp_path: Path, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(execution: Execution) -> Outcome:
        with execution.exclusive():
            raise ZeroDivisionError(SECRET)

    assert ended(tmp_path, work, as_json=as_json) == 1
    said = capsys.readouterr()
    assert "unexpected" in said.out
    assert "ZeroDivisionError" in said.out
    assert SECRET not in said.out + said.err
    assert record(tmp_path).outcome == "failed"
    assert not (tmp_path / ".orchestrate" / "orchestrate.lock.json").exists()


def test_one_run_only(tmp_path: Path) -> None:
    def inner(_execution: Execution) -> Outcome:
        pytest.fail("two at once")

    def locked(execution: Execution) -> Outcome:
        with execution.exclusive():
            return inner(execution)

    def outer(execution: Execution) -> Outcome:
        with execution.exclusive():
            assert ended(tmp_path, locked) == Outcome.LOCKED.status
            return Outcome.SUCCEEDED

    assert ended(tmp_path, outer) == 0
    assert sorted(one.outcome for one in records(tmp_path / ".orchestrate" / "runs")) == ["locked", "succeeded"]


def test_a_child_of_an_apply_has_no_record_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with parent(tmp_path, {}) as value:
        monkeypatch.setenv("ORCHESTRATE_PARENT", value)
        assert ended(tmp_path, lambda execution: Outcome.SUCCEEDED if execution.nested else Outcome.FAILED) == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "left", ["1", "", "[]", '{"held": "/etc/passwd", "place": ""}', "the run that has ended", "another stack"]
)
def test_a_parent_that_is_not_around_us_is_said_and_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    """It must never make a run succeed without doing anything."""
    (tmp_path / "other").mkdir()
    with ExitStack() as living:
        if left == "the run that has ended":
            with parent(tmp_path, {}) as value:
                pass
        elif left == "another stack":
            value = living.enter_context(parent(tmp_path / "other", {}))
        else:
            value = left
        monkeypatch.setenv("ORCHESTRATE_PARENT", value)
        assert ended(tmp_path, lambda execution: Outcome.FAILED if execution.nested else Outcome.SUCCEEDED) == 0
    assert ("parent-stale" in capsys.readouterr().out) is bool(left)
    assert record(tmp_path).outcome == "succeeded"


def test_a_parent_that_was_killed_is_no_parent(tmp_path: Path) -> None:
    """The kernel frees what it held, whatever it left behind."""
    code = (
        "import sys; from pathlib import Path; from orchestrator.workflows.parent_run import parent\n"
        "with parent(Path(sys.argv[1]), {}) as value: print(value, flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    value = child.stdout.readline().decode().strip()
    assert stale(value, tmp_path, {}) is None
    child.kill()
    child.communicate()
    found = stale(value, tmp_path, {})
    assert found is not None
    assert "has ended" in found.message
    Path(json.loads(value)["held"]).unlink()


def test_every_outcome_is_the_records(tmp_path: Path) -> None:
    for error in (Interrupted, Locked):
        folder = tmp_path / error.__name__
        folder.mkdir()

        def work(_execution: Execution, kind: type[OrchestratorError] = error) -> Outcome:
            raise kind(Problem("code", "why"))

        assert ended(folder, work) == error.outcome.status
        assert record(folder).outcome == error.outcome.word


def test_values_of_terraforms_variables_are_not_recorded() -> None:
    argv = [
        "apply",
        "-var",
        "db_password=x",
        "--var=region=y",
        "-var-file",
        "prod.tfvars",
        "-target",
        "a.b",
        "-var",
        "z",
    ]
    assert without_values(argv) == [
        "apply",
        "-var",
        "db_password=***",
        "--var=region=***",
        "-var-file",
        "prod.tfvars",
        "-target",
        "a.b",
        "-var",
        "***",
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"CI": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "CI: https://github.com/o/r/actions/runs/7",
        ),
        ({"CI": "true", "CI_JOB_URL": "https://gitlab/x/1"}, "CI: https://gitlab/x/1"),
        ({"CI": "true"}, "CI: a job"),
    ],
)
def test_what_started_it_is_told_by_the_environment(environment: dict[str, str], expected: str) -> None:
    assert why(environment) == expected


def test_no_secret_in_a_question(tmp_path: Path) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return question.wanted

    ref = StackRef(tmp_path, {"A_DEPLOY_TOKEN": SECRET})
    execution = Execution("run", ref, lambda _event: None, Caller(ask=ask), StepOptions())
    assert execution.ask(Question(prompt="?", text=f"Is it {SECRET}?", wanted="yes")) == "yes"
    assert [one.text for one in asked] == ["Is it ***?"]
