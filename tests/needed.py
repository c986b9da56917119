"""What tests need of the machine they run on."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def lacks(what: str) -> NoReturn:
    """Skip the test; in CI, which has everything, it fails."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def terraform() -> str:
    """The program that is used, as our own search finds it."""
    found = os.environ.get("TERRAFORM_BIN") or shutil.which("terraform") or shutil.which("tofu")
    return found or lacks("neither terraform nor tofu is on PATH")


def chromium() -> str:
    """The browser: any that is built from Chromium's sources."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None) or lacks(
        "no Chromium is on PATH (apt-get install chromium)"
    )
