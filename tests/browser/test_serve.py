"""`orchestrate serve`, as the process that it is, in a real browser: a stack that can't be looked at, and its past."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.pages import RECORDS
from tests.waiting import until

CONTRACT = Path(__file__).parents[1] / "unit" / "cli" / "contract.json"
SECRET = "hunter2-" + "x" * 24


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of pages about a stack at no AWS, of which one run is recorded."""
    runs = tmp_path / ".orchestrate" / "runs"
    runs.mkdir(parents=True)
    shutil.copy(CONTRACT, tmp_path / "contract.json")
    shutil.copy(RECORDS / "good.jsonl", runs / "20261130T030000Z-good.jsonl")
    nowhere = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "HOME": str(tmp_path)}
    environment = {**nowhere, "AWS_EC2_METADATA_DISABLED": "true", "AWS_SESSION_TOKEN": SECRET}
    command = [sys.executable, "-P", "-m", "orchestrator", "serve", "--every", "1h"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def status_of(url: str, method: str = "GET", host: str = "") -> int:
    request = urllib.request.Request(url, method=method, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_pages_are_read_by_everyone_who_has_the_token(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(address)
    until("it was looked at", lambda: page.reload() and "credentials" in page.content())
    assert "invalid" in page.locator("tbody").inner_text()
    assert Axe().run(page).violations_count == 0
    page.locator("a[href$='/run']").click()
    assert page.locator("h1").inner_text() == "run of onyx-prod: succeeded"
    assert Axe().run(page).violations_count == 0
    assert SECRET not in page.content()
    assert {path.count("/") for path in asked} <= {2, 3}, "pages alone: no script, no picture, no favicon"
    page.close()


def test_nobody_else_reads_them_and_nobody_changes_anything(address: str) -> None:
    place = urlsplit(address)
    root = f"{place.scheme}://{place.netloc}"
    assert place.hostname == "127.0.0.1"
    assert status_of(address) == HTTPStatus.OK
    assert [status_of(root + path) for path in ("/", "/guessed/", "/guessed/stack/", f"{place.path}other/")] == [
        404
    ] * 4
    assert status_of(address, "POST") == HTTPStatus.METHOD_NOT_ALLOWED
    assert status_of(address, host="evil.example") == HTTPStatus.BAD_REQUEST
    with urllib.request.urlopen(address, timeout=60) as answer:
        said = answer.headers
    assert said["Cache-Control"] == "no-store"
    assert said["Content-Security-Policy"].startswith("default-src 'none'")
    assert said["Referrer-Policy"] == "no-referrer"
