"""Who gets a page of `orchestrate serve`, and who gets nothing (in a browser: tests/browser/test_serve.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from orchestrator.web.board import LiveBoard
from orchestrator.web.server import application
from orchestrator.workflows import StackRef

TOKEN = "t" * 32


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    board = LiveBoard({"demo": StackRef(directory=tmp_path)}, tmp_path, 60, lambda: datetime(2026, 11, 30, tzinfo=UTC))
    return TestClient(application(board, TOKEN), base_url="http://127.0.0.1")


@pytest.mark.parametrize("path", [f"/{TOKEN}/", f"/{TOKEN}/demo/"])
def test_a_page_is_for_whoever_has_the_token(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "demo" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer", "the token is in the address"


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", "127.0.0.1", 404),
        ("GET", f"/{TOKEN[:-1]}/", "127.0.0.1", 404),
        ("GET", f"/{TOKEN}x/demo/", "127.0.0.1", 404),
        ("GET", f"/{TOKEN}/other/", "127.0.0.1", 404),
        ("GET", f"/{TOKEN}/demo/run", "127.0.0.1", 404),
        ("POST", f"/{TOKEN}/", "127.0.0.1", 405),
        ("GET", f"/{TOKEN}/", "rebound.example", 400),
    ],
    ids=["no token", "shorter", "longer", "no such stack", "no run recorded", "a change", "another name for this host"],
)
def test_nobody_else_learns_anything(client: TestClient, method: str, path: str, host: str, status: int) -> None:
    answer = client.request(method, path, headers={"Host": host})
    assert answer.status_code == status
    assert "demo" not in answer.text
