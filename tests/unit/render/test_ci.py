"""What GitHub Actions and GitLab are told: parts that fold, annotations where the change is reviewed, a summary."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.events import (
    Event,
    FindingReported,
    LogLine,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from orchestrator.render.ci import Dialect, FoldedLog, GitHub, GitLab, StepSummary
from orchestrator.render.terminal import Terminal

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
BROKEN = StepFailed(step="services", subject="acme", detail="no task runs", code="no-tasks", fix="see, 100%: logs")
STORY = (
    StepStarted(step="terraform"),
    StepWaiting(step="terraform", detail="aws_vpc.main: Still creating..."),
    StepDone(step="terraform", detail="1 added"),
    RunStarted(stack="onyx", command="apply"),
    StepStarted(step="services"),
    StepWaiting(step="services", subject="acme", detail="0 of 1"),
    BROKEN,
    StepDone(step="services", subject="beta", detail="up"),
    RunFinished(outcome="failed"),
)


def log(dialect: Dialect, *events: Event, text: str = "") -> list[str]:
    out = io.StringIO(newline="")
    folded = FoldedLog(out, Terminal(out, lambda: NOW), dialect)
    if text:
        folded.text(text)
    for event in events:
        folded.emit(event)
    return out.getvalue().split("\n")[:-1]


def heads(lines: list[str], *marks: str) -> list[str]:
    return [line for line in lines if line.startswith(marks)]


def test_github_folds_the_phases_and_leaves_failures_and_the_end_open() -> None:
    lines = log(GitHub("t"), *STORY, text="Plan: 1 to add")
    assert lines[:2] == ["::group::Terraform", "Plan: 1 to add"]
    depth, folded = 0, []
    for line in lines:
        depth += line.startswith("::group::") - (line == "::endgroup::")
        assert depth in (0, 1), "groups never nest"
        folded.append(bool(depth))
    assert depth == 0
    seen = dict(zip(lines, folded, strict=True))
    assert [seen[line] for line in lines if "no task runs" in line and not line.startswith("::")] == [False, False]
    assert [seen[line] for line in lines if "0 of 1" in line] == [True]
    assert [seen[line] for line in lines if "failed, changed" in line] == [False]


def test_github_is_told_of_a_failure_once_with_its_fix() -> None:
    assert heads(log(GitHub("t"), *STORY), "::error") == [
        "::error title=no-tasks::acme: no task runs%0Afix: see, 100%25: logs"
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            StepFailed(step="plan", detail="bad", code="terraform-failed", context="aws_vpc.main main.tf:12"),
            "::error title=terraform-failed,file=infra/prod/main.tf,line=12::bad",
        ),
        (
            StepFailed(step="plan", detail="bad", code="x", context="aws_ecs_service.api['a:12']"),
            "::error title=x::bad",
        ),
        (
            FindingReported(step="c", detail="a", code="ttl", severity="warning", status="failed", place="dns.tf:3"),
            "::warning title=ttl,file=infra/prod/dns.tf,line=3::a",
        ),
        (FindingReported(step="c", detail="a", code="b", severity="blocker"), "::error title=b::a"),
        (FindingReported(step="c", detail="a", code="b", severity="info"), "::notice title=b::a"),
        (FindingReported(step="c", detail="a:b,c", code="one:two,three"), "::warning title=one%3Atwo%2Cthree::a:b,c"),
        (FindingReported(step="c", detail="would redeploy", code="change-planned"), None),
        (FindingReported(step="c", detail="waits", code="later", severity="warning", status="unknown"), None),
        (StepDone(step="services", subject="a", detail="up"), None),
    ],
)
def test_what_github_marks_and_where(event: Event, expected: str | None) -> None:
    lines = log(GitHub("t", "infra/prod"), event)
    assert heads(lines, "::error", "::warning", "::notice") == ([expected] if expected else [])


@pytest.mark.parametrize(
    "words", ["::set-output name=x::y", "  ::error::nonsense", "a line\n::add-mask::a", "late ##[error]x"]
)
@pytest.mark.parametrize("as_", ["text", "detail", "log"])
def test_github_obeys_nothing_that_others_wrote(words: str, as_: str) -> None:
    event: Event = StepWaiting(step="terraform", detail=words)
    if as_ == "log":
        event = LogLine(step="logs", subject="a", container="api", detail=words)
    lines = log(GitHub("token"), *([] if as_ == "text" else [event]), text=words if as_ == "text" else "")
    begin, end = lines.index("::stop-commands::token"), lines.index("::token::")
    inside = [number for number, line in enumerate(lines) if words.splitlines()[-1].strip() in line]
    assert inside
    assert all(begin < number < end for number in inside)


def test_what_is_harmless_is_left_alone() -> None:
    lines = log(GitHub("token"), StepWaiting(step="terraform", detail="arn:aws:s3:::bucket"), text="a :: b")
    assert not any("token" in line for line in lines)


def test_gitlab_has_sections_with_names_of_their_own() -> None:
    lines = log(GitLab(lambda: NOW), *STORY)
    text = "\n".join(lines)
    begun = re.findall(rf"\x1b\[0Ksection_start:{SECONDS}:(\w+)\r\x1b\[0K(\w+)$", text, re.MULTILINE)
    ended = re.findall(rf"\x1b\[0Ksection_end:{SECONDS}:(\w+)\r\x1b\[0K$", text, re.MULTILINE)
    assert begun == [("orchestrate_1", "Terraform"), ("orchestrate_2", "Steps"), ("orchestrate_3", "Steps")]
    assert ended == ["orchestrate_1", "orchestrate_2", "orchestrate_3"]
    assert "::error" not in text


def summary(tmp_path: Path, command: str, *events: Event) -> str:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    page = StepSummary(file)
    for event in (RunStarted(stack="onyx", command=command), *events, RunFinished(outcome="failed")):
        page.emit(event)
    return file.read_text()


def test_the_summary_is_appended(tmp_path: Path) -> None:
    said = summary(tmp_path, "run", StepStarted(step="services"), BROKEN, STORY[7])
    assert said.startswith("before\n### orchestrate run: onyx\n")
    assert "- `no-tasks` no task runs Fix: see, 100%: logs" in said
    assert "| acme | failed | services: no task runs |\n| beta | up | services: up |" in said


def test_what_only_lists_has_no_summary(tmp_path: Path) -> None:
    assert summary(tmp_path, "logs", LogLine(step="logs", detail="x")) == "before\n"


def test_a_summary_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    page = StepSummary(tmp_path / "no-folder" / "summary.md")
    for event in (RunStarted(command="run"), RunFinished()):
        page.emit(event)
    assert not (tmp_path / "no-folder").exists()
