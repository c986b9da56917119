"""What `make docs` has to know: the front page is the README, and what a page links to outside of docs/ comes along."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
BESIDE = "repository"
"""Folder of the site for files from outside of docs/."""
_NAMED = re.compile(r"\[([^\]]+)\]\(([^)#\s:]+)\)")
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the front page, and the files that pages link to."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text()))
    sources = [(ROOT / "README.md"), *(ROOT / "docs").rglob("*.md")]
    outside = {path for source in sources for path in _outside(source)}
    for path in sorted(outside):
        files.append(File.generated(config, f"{BESIDE}/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_given: object) -> str:
    """Lead each link to where its target is in the site; one to a folder outside of docs/ becomes plain text."""
    is_front = page.file.src_uri == "index.md"
    source = ROOT / "README.md" if is_front else ROOT / "docs" / page.file.src_uri
    here = PurePosixPath(page.file.src_uri).parent

    def led(found: re.Match[str]) -> str:
        target = _target(source, found["path"])
        if target is None:
            return found[0]
        inside = target.removeprefix("docs/") if target.startswith("docs/") else f"{BESIDE}/{target}"
        inside = "index.md" if target == "README.md" else inside
        return os.path.relpath(inside, here) + (found["anchor"] or "")

    return _LINK.sub(led, _NAMED.sub(lambda it: it[1] if _is_folder(source, it[2]) else it[0], markdown))


def _is_folder(source: Path, link: str) -> bool:
    target = _target(source, link)
    return target is not None and (ROOT / target).is_dir()


def _outside(source: Path) -> set[str]:
    """Files of the repository that the page links to, and that are no docs."""
    targets = (_target(source, one["path"]) for one in _LINK.finditer(source.read_text()))
    return {it for it in targets if it and not it.startswith("docs/") and it != "README.md" and (ROOT / it).is_file()}


def _target(source: Path, link: str) -> str | None:
    """A link's target from the root of the repository; None: it is elsewhere, or nowhere."""
    target = Path(os.path.normpath(source.parent / link))
    return target.relative_to(ROOT).as_posix() if target.exists() and target.is_relative_to(ROOT) else None
