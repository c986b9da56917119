"""Tables at any width: no column vanishes, none but the last folds, a file is never padded or folded."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orchestrator.render.tables import Sheet

WORDS = st.text(alphabet="abcdefghij-0123456789", min_size=1, max_size=24)
SENTENCES = st.lists(WORDS, max_size=12).map(" ".join)
ROWS = st.lists(st.tuples(WORDS, WORDS, SENTENCES), min_size=1, max_size=6)


def printed(rows: list[tuple[str, str, str]], width: int | None) -> list[str]:
    """On a terminal of this width; None: in a file."""
    sheet = Sheet("tenant", "state", "why")
    for row in rows:
        sheet.add(*row)
    out = io.StringIO()
    Console(file=out, soft_wrap=True, width=width, force_terminal=width is not None, color_system=None).print(sheet)
    return out.getvalue().splitlines()


@given(ROWS)
def test_in_a_file_a_row_is_a_line_and_no_line_ends_in_blanks(rows: list[tuple[str, str, str]]) -> None:
    head, *lines = printed(rows, None)
    assert head.split() == ["tenant", "state", "why"]
    assert [line.split() for line in lines] == [" ".join(row).split() for row in rows]
    assert [line for line in (head, *lines) if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@given(rows=ROWS)
def test_on_a_terminal_only_the_last_column_folds(width: int, rows: list[tuple[str, str, str]]) -> None:
    _, *lines = printed(rows, width)
    starts = [line for line in lines if line[:1].strip()]
    assert [line.split()[:2] for line in starts] == [list(row[:2]) for row in rows]
    assert "".join("".join(line.split()) for line in lines) == "".join("".join("".join(row).split()) for row in rows)
    fixed = max(len(row[0]) for row in [("tenant", ""), *rows]) + max(len(row[1]) for row in [("", "state"), *rows]) + 4
    last = max(len("why"), *(len(row[2]) for row in rows))
    if width >= fixed + min(20, last):
        assert max(map(len, lines)) <= width
    else:
        assert len(lines) == len(rows), "a row that the terminal wraps is folded by nobody else"


def test_markup_is_text() -> None:
    assert printed([("[red]", "[/]", "a [bold]b")], 80)[1].split() == ["[red]", "[/]", "a", "[bold]b"]
