"""Which renderer shows a command's events: by the options, or else by where they go (a terminal, CI, a file)."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from orchestrator.render.ci import Dialect
    from orchestrator.render.terminal import Terminal
    from orchestrator.workflows import Event

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub Actions shows on the run's page, as Markdown."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Renderer:
    """What shows an event, a text for people, and (on a terminal) a whole picture in place of the last one."""

    event: Callable[[Event], None]
    text: Callable[[str], None]
    picture: Callable[[Sequence[Event]], None] | None = None
    held: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered while somebody types an answer."""
    close: Callable[[], None] = _nothing
    """Called when no more will come, however that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """How a command was asked to show what it does."""

    as_json: bool = False
    document: str = ""
    """`json` or `yaml`: all that is listed, in one document at the end."""
    markdown: bool = False
    """Whether it is wanted as Markdown."""
    title: str = ""
    """The command, as it was typed."""
    usual: Callable[[], Mapping[str, float]] | None = None
    """Gives the seconds that each step usually takes, for a command that can be watched; None: it can't."""
    plain: bool = False
    """Whether a runner of CI gets no marks of its own."""
    verbosity: str = "normal"
    directory: Path = Path()
    """Terraform's, from which Terraform's places count."""

    @property
    def for_programs(self) -> bool:
        """Whether no person reads it: nobody is asked, nothing is said beside."""
        return self.as_json or bool(self.document)


def output_options(
    given: Mapping[str, Any], title: str, usual: Callable[[], Mapping[str, float]] | None = None
) -> OutputOptions:
    """Read from what click read."""
    as_json = given.get("as_json", False) or "json" in (given.get("format_"), given.get("log_format"))
    return OutputOptions(
        as_json=as_json,
        document="" if given.get("output", "table") == "table" else given["output"],
        markdown=given.get("format_") == "markdown" and not as_json,
        title=title,
        usual=usual,
        plain=given.get("log_format") == "text",
        verbosity=given.get("verbosity") or "normal",
        directory=given["directory"],
    )


def colours(out: TextIO) -> bool:
    """Whether what is printed there is coloured."""
    from orchestrator.render.console import coloured

    return coloured(os.environ, terminal=out.isatty())


def renderer(out: TextIO, now: Callable[[], datetime], chosen: OutputOptions) -> Renderer:
    """For this output."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks must not end the run
    if chosen.as_json:
        from orchestrator.render.jsonl import emitter

        return Renderer(emitter(out, now), lambda _text: None)
    if chosen.document:
        from orchestrator.render.document import EventDocument

        return Renderer(EventDocument(out, chosen.document, chosen.title).emit, lambda _text: None)
    if chosen.markdown:
        from orchestrator.render.markdown import Markdown

        document = Markdown(out, chosen.title)
        return Renderer(document.emit, document.text)
    from orchestrator.render.terminal import Terminal, Verbosity

    if out.isatty():
        return _on_terminal(out, now, chosen)
    terminal = Terminal(out, now, verbosity=Verbosity(chosen.verbosity), colours=colours(out))
    if chosen.plain:
        return Renderer(terminal.emit, terminal.text)
    return _of_ci(out, terminal, now, chosen.directory) or Renderer(terminal.emit, terminal.text)


def _on_terminal(out: TextIO, now: Callable[[], datetime], chosen: OutputOptions) -> Renderer:
    """Drawn, unless plain lines are asked for or the terminal can't."""
    from orchestrator.render.progress import Progress
    from orchestrator.render.terminal import Terminal, Verbosity

    watched = None
    if chosen.usual is not None and not chosen.plain and chosen.verbosity != Verbosity.QUIET.value:
        watched = Progress(chosen.title, now(), chosen.usual())
    verbosity = Verbosity(chosen.verbosity)
    terminal = Terminal(out, now, verbosity=verbosity, colours=colours(out), watched=watched, command=chosen.title)
    picture = terminal.picture if terminal.draws else None
    return Renderer(terminal.emit, terminal.text, picture, terminal.held, terminal.close)


def _of_ci(out: TextIO, terminal: Terminal, now: Callable[[], datetime], directory: Path) -> Renderer | None:
    """With a runner's own marks; None: no runner that we know reads this."""
    from orchestrator.render.ci import FoldedLog, GitHub, GitLab, StepSummary

    dialect: Dialect
    if os.environ.get("GITHUB_ACTIONS") == "true":
        root = os.environ.get("GITHUB_WORKSPACE") or "."
        dialect = GitHub(secrets.token_hex(16), os.path.relpath(directory, root))
    elif os.environ.get("GITLAB_CI") == "true":
        dialect = GitLab(now)
    else:
        return None
    log = FoldedLog(out, terminal, dialect)
    if not os.environ.get(SUMMARY):
        return Renderer(log.emit, log.text)
    summary = StepSummary(Path(os.environ[SUMMARY]))

    def emit(event: Event) -> None:
        log.emit(event)
        summary.emit(event)

    return Renderer(emit, log.text)
