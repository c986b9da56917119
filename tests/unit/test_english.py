"""What a user reads is plain American English (docs/STYLE.md): words that crept in before stay out.

The generated reference has every message, fix, help text and title, so the pages are all that is searched.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))) if page.name != "STYLE.md"]
"""All but the one that quotes what to avoid."""

BANNED = {
    r"\bmend(s|ed|ing)?\b": "repair",
    r"\bwhoever\b": "name who it is: the caller, the owner, everybody who",
    r"\bleft in peace\b": "undisturbed",
    r"\bat work\b": "running",
    r"\banew\b": "again; recreate",
    r"\bmade again\b": "recreated",
    r"\bhalf way\b": "halfway",
    r"\bdata (are|stay)\b": "data is, data stays",
    r"\bstands? behind\b": "say what depends on what",
    r"\bof late\b": "recently",
    r"\bfor ever\b": "forever",
    r"\b(recogn|initial|author|organ|normal|serial)is(e|ed|es|ing|ation|able|ably)\b": "-ize",
    r"\b(colour|behaviour|honour|favour)": "-or",
    r"\b(set-up|time-outs?|back-off)\b": "setup, timeout, backoff",
    r"\b(leads?|leading|led) (to|nowhere|there|elsewhere|visitors)\b": "points to, forwards to, redirects to, reaches",
    r"\blets? (nobody|anybody|somebody|everybody) in\b": "admits",
    r"\b(is|are|was|were) told\b(?!\s+apart)": "is configured with, gets, is notified",
    r"\b(goes|go|went|going) on\b": "continues, keeps running",
    r"\ball the same\b": "anyway, still",
    r"\bcan't be had\b": "is not available",
    r"\b(is|are|has|have) no (failure|error)\b": "is not a failure",
    r"\bcould not look\b": "could not run",
    r"\bgives? birth\b|\bat birth\b": "at creation",
    r"\bcreate (was|is|were) cut off\b": "its creation was interrupted",
    r"\basks? for (its|a) token\b": "requires its token",
    r"\bcosts by the hour\b": "is billed by the hour",
    r"\ba S3\b": "an S3",
    r"\btakes no (connections|documents|data)\b": "accepts no",
    r"(?m)^Beside |[.!?] Beside ": "besides",
    r"\b(a|the) living (stack|one)\b": "live, running",
    r"\b(and|or) (its|their) like\b": "and the like",
    r"\btenant's way\b": "tenant's path",
    r"\bgood days?\b": "a normal day",
}
"""A pattern → what to say instead."""
REGEX = re.compile(r"\(\?[P:!<=]|\[\^|\\[dswDSW]\b|\]\{\d+,?\d*\}")
"""Marks of a regular expression, which no user should have to read."""


def _prose(page: Path) -> str:
    """The page without its blocks of code, which quote programs."""
    return re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_plain_english(page: Path) -> None:
    prose = _prose(page)
    found = {word[0]: better for banned, better in BANNED.items() for word in re.finditer(banned, prose)}
    assert not found, "say it as docs/STYLE.md asks"
    assert not REGEX.findall(prose), "show a format by an example"


def test_the_words_are_found_where_they_are() -> None:
    said = "Nothing can be mended here; its colours are made anew"
    assert [banned for banned in BANNED if re.search(banned, said)]
    assert REGEX.search("it must match ^[^/]+$")
