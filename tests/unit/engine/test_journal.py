"""A run's record: what is written, and that reading never fails."""

from __future__ import annotations

import io
import json
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.journal import Journal, JournalUnwritable, parse, records, run_id
from orchestrator.errors import Invalid
from orchestrator.events import ChangeIntended, ChangeMade, RunFinished, RunStarted, StepDone
from orchestrator.render.history import as_json, table, timeline

AT = datetime(2026, 11, 23, 18, 1, 15, tzinfo=UTC)


def begin(folder: Path, run: str = "20261123T180115Z-ab12cd") -> Journal:
    return Journal(folder, run, lambda: AT, {"command": "run", "options": ["run"], "user": "ops"})


def show(folder: Path) -> str:
    out = io.StringIO()
    table(records(folder), out)
    for record in records(folder):
        timeline(record, out)
        json.dumps(as_json(record))
    return out.getvalue()


def test_the_name_of_a_run_sorts_by_time() -> None:
    assert run_id(AT, "ab12cd") == "20261123T180115Z-ab12cd"


def test_a_run_reads_back_as_it_was(tmp_path: Path) -> None:
    journal = begin(tmp_path / "a" / "runs")
    journal.record(RunStarted(stack="onyx-prod", command="run", version="1"))
    journal.intend(ChangeIntended(step="s", subject="a", detail="start"), ChangeIntended(step="s", subject="b"))
    journal.record(ChangeMade(step="s", subject="a", changed=1))
    journal.record(RunFinished(outcome="failed", changed=1, seconds=2.5))
    journal.close()
    (record,) = records(tmp_path / "a" / "runs")
    assert (record.command, record.stack, record.outcome, record.changed, record.seconds) == (
        "run",
        "onyx-prod",
        "failed",
        1,
        2.5,
    )
    assert record.began == "2026-11-23T18:01:15.000+00:00"
    assert [change["subject"] for change in record.open_changes] == ["b"]
    assert record.garbled == 0
    shown = show(tmp_path / "a" / "runs")
    assert "how it ended is not recorded: s b" in shown
    assert "failed, changed: 1, 2.5 s" in shown


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    journal = begin(tmp_path / "runs")
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_every_event_is_one_write_and_intents_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begin(tmp_path)
    calls: list[str] = []
    write, fsync = os.write, os.fsync

    def noted(name: str, call: Any) -> Any:
        def noting(*given: Any) -> Any:
            calls.append(name)
            return call(*given)

        return noting

    monkeypatch.setattr(os, "write", noted("write", write))
    monkeypatch.setattr(os, "fsync", noted("fsync", fsync))
    journal.record(StepDone(step="s"))
    journal.intend(ChangeIntended(step="s", subject="a"), ChangeIntended(step="s", subject="b"))
    assert calls == ["write", "write", "fsync"]


def test_threads_don_t_mix_their_lines(tmp_path: Path) -> None:
    journal = begin(tmp_path)

    def many() -> None:
        for _ in range(100):
            journal.record(StepDone(step="s", detail="x" * 500))

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (record,) = records(tmp_path)
    assert (len(record.lines), record.garbled) == (801, 0)


def test_where_it_can_t_be_written_it_is_said_before_anything_is_changed(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(Invalid) as raised:
        begin(tmp_path / "runs")
    assert raised.value.problems[0].code == "journal-unwritable"
    assert "--journal-dir" in raised.value.problems[0].fix


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_ours(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._file)
    os.close(full)
    with pytest.raises(JournalUnwritable, match="No space left"):
        journal.intend(ChangeIntended(step="s"))
    with pytest.raises(JournalUnwritable):
        journal.record(StepDone(step="s"))
    journal.record_at_the_end(RunFinished(outcome="interrupted"))


def test_after_a_line_written_in_part_the_next_one_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begin(tmp_path)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20]))
    with pytest.raises(JournalUnwritable):
        journal.record(StepDone(step="torn"))
    monkeypatch.setattr(os, "write", write)
    journal.record(StepDone(step="whole"))
    (record,) = records(tmp_path)
    assert [line.get("step") for line in record.lines[1:]] == ["whole"]
    assert record.garbled == 1


def test_a_killed_run_is_unfinished_and_counts_what_was_made(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.record(ChangeMade(step="s", subject="a", changed=1))
    journal.record(ChangeMade(step="s", subject="b", changed=0, outcome="failed"))
    (record,) = records(tmp_path)
    assert (record.outcome, record.changed, record.seconds) == ("unfinished", 1, None)
    assert "unfinished" in show(tmp_path)


def test_what_a_terminal_would_obey_is_not_shown(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.record(StepDone(step="s", detail="\x1b[2Jgone \ud800"))
    shown = show(tmp_path)
    assert "\x1b" not in shown
    shown.encode()


WORDS = st.sampled_from(
    ["event", "run-opened", "run-finished", "run-started", "change-intended", "change-made", "time", "step", "outcome"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=6),
    max_leaves=20,
)


@given(
    lines=st.lists(st.fixed_dictionaries({"event": WORDS}, optional={"x": JSON}) | JSON, max_size=8), cut=st.integers(0)
)
def test_any_torn_record_can_be_read(lines: list[Any], cut: int) -> None:
    data = "\n".join(map(json.dumps, lines)).encode()
    shown(data[: cut % (len(data) + 1)])


@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["time", "step", "subject", "stack", "outcome", "changed", "seconds", "options", "versions", "code"]
        ),
        JSON,
    ),
    event=WORDS,
)
def test_any_value_in_any_field_can_be_shown(fields: dict[str, Any], event: str) -> None:
    shown(json.dumps({"event": event, **fields}).encode())


@given(st.binary())
def test_garbage_can_be_read(data: bytes) -> None:
    shown(data)


def shown(data: bytes) -> None:
    record = parse("run", data)
    out = io.StringIO()
    table([record], out)
    timeline(record, out)
    out.getvalue().encode()
    json.dumps(as_json(record))


def test_deep_nesting_is_garbled() -> None:
    assert parse("run", b'{"event": ' + b"[" * 200_000).garbled == 1
