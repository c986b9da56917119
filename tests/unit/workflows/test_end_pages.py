"""What a command leaves for a browser, and what becomes of it where it can't be written."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import Outcome, Problem, Refused
from orchestrator.events import Event, FindingReported, PartObserved, RunStarted, StepDone, StepFailed, StepStarted
from orchestrator.workflows.caller import Caller, StackRef
from orchestrator.workflows.end_pages import REPORT
from orchestrator.workflows.execution import Execution, perform

SECRET = "hunter2-of-the-test"
ENVIRONMENT = {"PORKBUN_SECRET_API_KEY": SECRET}


def ended(
    folder: Path, work: Callable[[Execution], Outcome], *, recorded: bool = False, page: Path | None = None
) -> tuple[Outcome, list[Event]]:
    said: list[Event] = []
    ref = StackRef(folder, ENVIRONMENT)
    return perform("status", ref, work, emit=said.append, caller=Caller(user="ana"), recorded=recorded, page=page), said


def look(execution: Execution) -> Outcome:
    execution.emit(RunStarted(stack="onyx-prod", command="status"))
    execution.emit(StepFailed(step="services", subject="acme", detail=f"password {SECRET} was refused", code="x"))
    return Outcome.FAILED


def test_a_look_leaves_the_page_that_was_asked_for(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    outcome, _ = ended(tmp_path, look, page=page)
    text = page.read_text()
    assert outcome is Outcome.FAILED
    assert "status of onyx-prod" in text
    assert "ana@" in text
    assert SECRET not in text
    assert "was refused" in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [page]


def test_of_pictures_the_last_one_is_shown(tmp_path: Path) -> None:
    def watch(execution: Execution) -> Outcome:
        for running in (0, 1):
            execution.picture(
                [PartObserved(part="tenant", subject="acme", running=running, desired=1, healthy=running)]
            )
        return Outcome.SUCCEEDED

    page = tmp_path / "page.html"
    ended(tmp_path, watch, page=page)
    assert "1/1 running" in page.read_text()
    assert "0/1 running" not in page.read_text()


def test_every_recorded_run_leaves_a_report_of_its_record(tmp_path: Path) -> None:
    def work(execution: Execution) -> Outcome:
        execution.emit(StepStarted(step="redeploy"))
        with execution.change("redeploy", {"acme": "redeploy acme"}):
            pass
        execution.emit(StepDone(step="redeploy", subject="acme", changed=1))
        return Outcome.SUCCEEDED

    ended(tmp_path, work, recorded=True)
    report = tmp_path / ".orchestrate" / "runs" / REPORT
    assert "What was changed" in report.read_text()
    assert "succeeded" in report.read_text()
    ended(tmp_path, look, recorded=True)
    assert "What was changed" not in report.read_text(), "it is the newest run's"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_run_that_was_refused_leaves_it_too(tmp_path: Path) -> None:
    def work(_execution: Execution) -> Outcome:
        raise Refused(Problem("unsafe", "this would lose data", "", "don't"))

    ended(tmp_path, work, recorded=True)
    text = (tmp_path / ".orchestrate" / "runs" / REPORT).read_text()
    assert "this would lose data" in text
    assert "refused" in text


@pytest.mark.parametrize("name", ["nowhere/page.html", "."])
def test_what_could_not_be_written_is_said_before_anything_is_done(tmp_path: Path, name: str) -> None:
    outcome, said = ended(tmp_path, look, page=tmp_path / name)
    assert outcome is Outcome.INVALID
    (problem,) = (event for event in said if isinstance(event, StepFailed))
    assert (problem.code, bool(problem.fix)) == ("page-unwritable", True)


def test_a_page_that_was_asked_for_and_is_not_there_is_no_success(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()

    def work(_execution: Execution) -> Outcome:
        folder.rmdir()
        return Outcome.SUCCEEDED

    outcome, said = ended(tmp_path, work, page=folder / "page.html")
    assert outcome is Outcome.FAILED
    assert [event.code for event in said if isinstance(event, StepFailed)] == ["page-unwritable"]


def test_a_report_that_can_not_be_written_fails_no_run(tmp_path: Path) -> None:
    runs = tmp_path / ".orchestrate" / "runs"

    def work(_execution: Execution) -> Outcome:
        (runs / REPORT).mkdir()
        return Outcome.SUCCEEDED

    outcome, said = ended(tmp_path, work, recorded=True)
    assert outcome is Outcome.SUCCEEDED
    assert [event.code for event in said if isinstance(event, FindingReported)] == ["page-unwritable"]
    assert {file.suffix for file in runs.iterdir()} == {".jsonl", ".html"}, "no half page stays"
