"""A real browser, headless, for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import needed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """While it is there, an event loop of playwright's runs in this thread: not beside tests of other files."""
    program = needed.chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program)
        yield started
        started.close()
