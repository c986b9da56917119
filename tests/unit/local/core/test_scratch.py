"""Where a cloud keeps what it forgets."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from orchestrator.local.core import scratch


@pytest.mark.parametrize(
    ("memory", "plenty", "environ", "where"),
    [
        ("memory", 1, {}, "memory"),
        ("memory", 1 << 80, {}, "disk"),
        ("memory", 1, {"TMPDIR": "chosen"}, "disk"),
        ("nowhere", 1, {}, "disk"),
    ],
)
def test_in_memory_where_there_is_plenty(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    memory: str,
    plenty: int,
    environ: dict[str, str],
    where: str,
) -> None:
    for name in ("memory", "disk"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / memory)
    monkeypatch.setattr(scratch, "PLENTY", plenty)
    made = scratch.folder("postgres-", environ)
    assert (made.parent, made.stat().st_mode & 0o777) == (tmp_path / where, 0o700)
