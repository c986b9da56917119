"""What the reference says of a code, from the pages that come with the package: no network, no stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TextIO

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.markdown import Markdown

from orchestrator.errors import Invalid, Problem, meant
from orchestrator.render import links
from orchestrator.render.console import console_of

_FILLED_IN = re.compile(r"`\{[^}]*\}`")
_PAGES = (links.PROBLEMS, links.CHECKS)


def explanations() -> dict[str, str]:
    """Code → Markdown, of every problem and every finding of the doctor; `*` stands for what is filled in.

    Raises `Invalid` without the pages.
    """
    folder = links.folder()
    if folder is None:
        message = "the reference pages are not part of this installation"
        raise Invalid(Problem("reference-missing", message, str(links.PLACES[0]), "install onyx-orchestrator again"))
    found: dict[str, str] = {}
    for page in _PAGES:
        for code, text in _entries((folder / page).read_text(encoding="utf-8")):
            found[code] = f"{found[code]}\n\n{text}" if code in found else text
    return found


def explanation(code: str) -> str:
    """What there is to know of a code, as Markdown. Raises `Invalid` for one that doesn't exist, with the nearest."""
    known = explanations()
    for name, text in known.items():
        if fnmatchcase(code, name):
            return text
    near = meant(code, known)
    fix = f"did you mean {near}?" if near else "`orchestrate explain --list` shows every code"
    raise Invalid(Problem("code-unknown", f"there is no problem and no finding {code!r}", "", fix))


def show(code: str, markdown: str, out: TextIO, *, colours: bool) -> None:
    """For people: laid out on a terminal, as Markdown elsewhere."""
    page = f"# {code}\n\n{markdown}\n"
    if out.isatty():
        console_of(out, colours=colours).print(Markdown(page), soft_wrap=False)
    else:
        out.write(page)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Each code with its lines: a heading of the second level (a problem), or a list item that begins in bold."""
    lines = text.splitlines()
    tokens = MarkdownIt().parse(text)
    headings = [at for at, token in enumerate(tokens) if token.type == "heading_open"]
    for at, following in zip(headings, [*headings[1:], None], strict=True):
        _, first = _span(tokens[at])
        last = len(lines) if following is None else _span(tokens[following])[0]
        if tokens[at].tag == "h2":
            yield _FILLED_IN.sub("*", tokens[at + 1].content), "\n".join(lines[first:last]).strip()
    for at, token in enumerate(tokens):
        if token.type == "list_item_open" and (code := _bold(tokens[at + 2])):
            yield code, "\n".join(lines[slice(*_span(token))]).rstrip()


def _bold(inline: Token) -> str:
    """The words with which it begins, if they are in bold."""
    parts = inline.children or []
    # An empty text stands before the mark.
    starts = [part.type for part in parts[:2]]
    return parts[2].content if starts == ["text", "strong_open"] and not parts[0].content else ""


def _span(token: Token) -> tuple[int, int]:
    """Its first line, and the one after its last."""
    first, last = token.map or (0, 0)
    return first, last
