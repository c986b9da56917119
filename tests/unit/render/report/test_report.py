"""The page of a run: what it tells of a record, and that nothing in a record is obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli import orchestrate
from orchestrator.engine.journal import RunRecord, parse
from orchestrator.engine.step import tenant_of
from orchestrator.render import report
from orchestrator.render.report.model import ReportedChange, Span

BEGAN = "2026-11-30T03:00:00.000+00:00"
VOID = {"meta", "br"}
EVENTS = ("step-started", "step-waiting", "change-intended", "change-made", "step-done", "step-failed")


def at(seconds: float) -> str:
    return f"2026-11-30T03:{seconds // 60:02.0f}:{seconds % 60:06.3f}+00:00"


def record(*lines: Mapping[str, Any], end: Mapping[str, Any] | None = None) -> RunRecord:
    opened = {"event": "run-opened", "time": BEGAN, "command": "run", "user": "ana", "host": "laptop"}
    said: Iterable[Mapping[str, Any]] = (opened, {"event": "run-started", "time": at(1), "stack": "onyx-prod"}, *lines)
    finished = [{"event": "run-finished", "time": at(60), **end}] if end else []
    return parse("20261130T030000Z-abc", "".join(json.dumps(one) + "\n" for one in (*said, *finished)).encode())


def event(name: str, seconds: float, subject: str = "acme", **more: Any) -> Mapping[str, Any]:
    return {"event": name, "time": at(seconds), "step": "services", "subject": subject, "detail": "", **more}


RUN = record(
    event("step-started", 2, subject="", detail="services are up"),
    event("step-waiting", 5, detail="0/1 running"),
    event("change-intended", 8, detail="redeploy acme"),
    event("change-made", 9, outcome="succeeded", changed=1),
    event("step-waiting", 10, detail="0/1 running"),
    event("step-waiting", 12, detail="0/1 running"),
    event("step-done", 30, detail="1/1 running"),
    event("step-failed", 31, subject="apex", detail="no memory", code="out-of-memory", fix="raise it"),
    end={"outcome": "failed", "changed": 1, "seconds": 60.0, "aws_calls": 42},
)


def test_a_bar_tells_work_and_waits() -> None:
    acme, apex = report.of(RUN).rows
    assert (acme.subject, acme.state, acme.detail, acme.seconds) == ("acme", "done", "1/1 running", 28)
    assert acme.spans == (
        Span(2, 5, "working"),
        Span(5, 8, "waiting", "0/1 running"),
        Span(8, 10, "working"),
        Span(10, 30, "waiting", "0/1 running"),
    )
    assert acme.changes == (ReportedChange(9, "redeploy acme", "succeeded", "services", "acme"),)
    assert (apex.state, apex.code, apex.fix) == ("failed", "out-of-memory", "raise it")


def test_what_a_step_said_of_all_ends_as_it_ended_for_each() -> None:
    both = (event("step-done", 6), event("step-failed", 7, subject="apex"))
    waiting = event("step-waiting", 3, subject="", detail="loading")
    assert [row.state for row in report.of(record(waiting, *both)).rows] == ["failed", "done", "failed"]
    assert [row.state for row in report.of(record(waiting, both[0])).rows] == ["done", "done"]
    assert [row.state for row in report.of(record(waiting)).rows] == ["open"]


def test_a_change_that_failed_says_what_it_was_and_why() -> None:
    made = event("change-made", 9, outcome="unknown", detail="no answer")
    (row,) = report.of(record(event("change-intended", 8, detail="load the dump"), made)).rows
    assert row.changes == (ReportedChange(9, "load the dump: no answer", "unknown", "services", "acme"),)


def test_the_verdict_is_the_records() -> None:
    seen = report.of(RUN)
    assert (seen.outcome, seen.changed, seen.seconds, seen.calls, seen.who) == ("failed", 1, 60, 42, "ana@laptop")
    text = report.page(seen)
    assert "<code>orchestrate doctor</code> finds the cause" in text


def test_of_a_run_that_was_killed_nothing_is_claimed() -> None:
    seen = report.of(record(event("step-started", 2), event("change-intended", 4, detail="redeploy acme")))
    assert seen.outcome == "unfinished"
    (row,) = seen.rows
    assert (row.state, row.changes) == ("open", (ReportedChange(4, "redeploy acme", "not known", "services", "acme"),))


def test_of_a_record_that_says_nothing_a_page_is_made() -> None:
    assert "No step began." in report.page(report.of(parse("x", b"")))


class Strict(HTMLParser):
    """Every element is closed in its order; nothing is loaded from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {name for name, _ in attrs} & {"src", "href", "style", "onclick", "onload"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> str:
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return "".join(parser.text)


def test_it_needs_nothing_else() -> None:
    text = report.page(report.of(RUN))
    read(text)
    assert "http" not in text.replace("httponly", "")
    assert "url(" not in text


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_whatever_a_record_holds_is_text(detail: str, fix: str, tenant: str) -> None:
    hostile = f"</style><script>alert(1)</script>{detail}"
    shown = read(
        report.page(
            report.of(
                record(
                    event("step-failed", 3, subject=tenant, detail=hostile, fix=fix, code="x"),
                    event("finding-reported", 4, detail=hostile, cause=fix, fix=fix, code=hostile),
                )
            )
        )
    )
    # In the timeline, the finding and its code, the list of what is broken; and in the tenant's own way.
    assert shown.count("<script>alert(1)</script>") == (5 if tenant_of(tenant) else 4)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.floats(0, 600)), max_size=12))
def test_bars_never_overlap_nor_leave_the_picture(events: list[tuple[str, float]]) -> None:
    seen = report.of(record(*(event(name, seconds) for name, seconds in events)))
    for row in seen.rows:
        edges = [edge for span in row.spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= seen.span for edge in edges)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / ".orchestrate" / "runs"
    runs.mkdir(parents=True)
    lines = [json.dumps({"event": "run-opened", "time": BEGAN, "command": "run"}), *map(json.dumps, RUN.lines[1:])]
    (runs / "20261130T030000Z-abc.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_history_writes_it(folder: Path) -> None:
    file = folder / "report.html"
    result = CliRunner().invoke(orchestrate, ["history", "last", "--chdir", str(folder), "--html", str(file)])
    assert (result.exit_code, result.output) == (0, f"written: {file}\n")
    assert "run of onyx-prod" in read(file.read_text())


def test_history_writes_it_to_standard_output(folder: Path) -> None:
    result = CliRunner().invoke(orchestrate, ["history", "last", "--chdir", str(folder), "--html", "-"])
    assert result.output.startswith("<!DOCTYPE html>")


def test_which_run_must_be_said(folder: Path) -> None:
    result = CliRunner().invoke(orchestrate, ["history", "--chdir", str(folder), "--html", "x.html"])
    assert (result.exit_code, "name the RUN" in result.output) == (2, True)


def test_what_a_pause_saves_is_a_part_of_its_page() -> None:
    estimate = {
        "step": "pause",
        "detail": "an estimate: about $210 a month while it runs, $95 while it is paused",
        "code": "cost-estimate",
        "evidence": ["Fargate, 2 tasks: $72.08 → $0.00"],
        "fix": "see your bill",
    }
    made = report.of(record({"event": "finding-reported", "time": at(2), **estimate}))
    assert [(one.detail, one.evidence) for one in made.costs] == [(estimate["detail"], (estimate["evidence"][0],))]
    assert not made.findings
    page = report.page(made)
    assert "<h2>Cost</h2>" in page
    assert "<li>Fargate, 2 tasks: $72.08 → $0.00 a month</li>" in page
