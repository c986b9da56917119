"""CloudWatch's filter patterns for unstructured lines, as its documentation has them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from moto.logs.exceptions import InvalidParameterException
from moto.logs.utils import EventMessageFilter

from orchestrator.local.ecs import moto_logs

LINES = ("[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST", "[ERROR 419] MISSING ARGUMENTS", "[INFO] ok")


@pytest.fixture(autouse=True)
def _corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventMessageFilter, "__init__", EventMessageFilter.__init__)
    monkeypatch.setattr(EventMessageFilter, "matches", EventMessageFilter.matches)
    moto_logs.install(cast("Any", None))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", LINES),
        ("ERROR", LINES[:3]),
        ("ERROR REQUEST", LINES[:2]),
        ("ERROR -REQUEST", LINES[2:3]),
        ("?ARGUMENTS ?INFO", LINES[2:]),
        ('"BAD REQUEST"', LINES[:1]),
        ('ERROR ?400 ?"MISSING ARGUMENTS"', (LINES[0], LINES[2])),
    ],
)
def test_a_pattern_finds_its_lines(pattern: str, found: tuple[str, ...]) -> None:
    assert tuple(line for line in LINES if EventMessageFilter(pattern).matches(line)) == found


@pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[a, b]", "%ERR.*%", '"open'])
def test_a_pattern_it_does_not_know_is_an_error(pattern: str) -> None:
    with pytest.raises(InvalidParameterException):
        EventMessageFilter(pattern)
