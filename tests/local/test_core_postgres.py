"""Where the server programs come from, and who may run them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from orchestrator.errors import OrchestratorError
from orchestrator.local import daemon, postgres


def test_a_held_port_is_given_to_nobody_until_it_is_released() -> None:
    port = postgres.Port()
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", port.number)) != 0
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port.number))
    port.release()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port.number))


def test_no_programs_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([tmp_path]))
    with pytest.raises(OrchestratorError, match=r"postgres-missing.*Fix:"):
        postgres.binaries()


def test_a_folder_with_both_programs_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder, programs in ((empty, ["initdb"]), (full, ["initdb", "postgres"])):
        folder.mkdir()
        for program in programs:
            (folder / program).touch()
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([empty, full]))
    assert postgres.binaries() == full


def test_programs_that_cannot_run_are_named_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "initdb").touch()
    (tmp_path / "postgres").touch()
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([tmp_path]))
    with pytest.raises(OrchestratorError, match="postgres-unusable"):
        postgres.start(daemon.make(tmp_path, "test", 300))
