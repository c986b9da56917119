"""Codes are links on a terminal that shows colours, and words everywhere else."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from rich.text import Text

from orchestrator.render import links
from orchestrator.render.console import Folded, console_of

LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\([^\x1b]*)")
"""OSC 8: where it leads, and what is shown."""


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("code", "page"), [("wrong-account", links.PROBLEMS), ("certificate-not-issued", links.CHECKS)]
)
def test_a_code_leads_to_the_page_that_explains_it(code: str, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Tty()
    console_of(out, colours=True).print(links.code(code, page=page))
    (found,) = LINK.findall(out.getvalue())
    address, shown = urlsplit(found[0]), found[1]
    assert (address.scheme, address.fragment, shown) == ("file", code, code)
    assert code in Path(unquote(address.path)).read_text(encoding="utf-8")


def test_without_colours_it_is_text() -> None:
    for out in (io.StringIO(), Tty()):
        console_of(out, colours=False).print(links.code("wrong-account"))
        assert out.getvalue() == "[wrong-account]\n"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (34, ["12:00 ✓ sites", "    https://acme.example answers", "    with 200, as it should"]),
        (60, ["12:00 ✓ sites  https://acme.example answers with 200, as it", "               should"]),
        (99, ["12:00 ✓ sites  https://acme.example answers with 200, as it should"]),
    ],
)
def test_a_line_is_folded_between_words_below_where_they_begin(
    width: int, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    out, line = Tty(), Folded(Text("12:00 ✓ sites  "), Text("https://acme.example answers with 200, as it should"))
    console_of(out, colours=False).print(line)
    assert out.getvalue().splitlines() == lines
    in_a_file = io.StringIO()
    console_of(in_a_file).print(line)
    assert in_a_file.getvalue().count("\n") == 1
