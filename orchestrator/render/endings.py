"""How a command ended: its colour, and what one would type next. Pure."""

from __future__ import annotations

from orchestrator.errors import Outcome

UNFINISHED = "unfinished"
"""In a record: it still runs, or it was killed."""

_STYLES = {
    Outcome.SUCCEEDED: "green",
    Outcome.FAILED: "red",
    Outcome.INVALID: "magenta",
    Outcome.REFUSED: "magenta",
    Outcome.TIMED_OUT: "yellow",
    Outcome.LOCKED: "yellow",
    Outcome.PENDING: "yellow",
    Outcome.EXPIRED: "cyan",
    Outcome.INTERRUPTED: "cyan",
}
"""Red is for what failed alone: what was refused did no harm, what waits may come, what was stopped goes on."""

_GOES_ON = {UNFINISHED, Outcome.INTERRUPTED.word, Outcome.EXPIRED.word, Outcome.LOCKED.word}
_UP = "`orchestrate status` shows whether it is still up"
_SUCCEEDED = {
    "apply": _UP,
    "run": _UP,
    "resume": _UP,
    "restore": _UP,
    "pause": "`orchestrate resume` brings it back",
    "destroy": "`orchestrate restore` brings it back from its backup",
    "plan": "nothing to do; `orchestrate status` shows whether it is up",
    "backup": "`orchestrate backup --verify last` checks that it is complete",
    "doctor": "nothing keeps a site from working; `orchestrate status` shows all parts",
}
_PENDING = {
    "plan": "`orchestrate apply` does it",
    "status": "`orchestrate run` does it; `orchestrate doctor` finds what keeps a site from working",
    "dns plan": "`orchestrate dns apply` does it",
    "dns check": "`orchestrate dns check` again in a minute: public resolvers follow with a delay",
}
_FAILED = {
    "doctor": "`orchestrate doctor --fix` repairs what is safe to repair; for the rest, follow each `fix`",
}


def style(outcome: str) -> str:
    """The colour of a word of `Outcome`, or of `UNFINISHED`."""
    return next((colour for known, colour in _STYLES.items() if known.word == outcome), "yellow")


def next_command(command: str, outcome: str) -> str:
    """What one would do after this command ended so."""
    if outcome in _GOES_ON:
        return f"`orchestrate {command}` again: it continues where it stopped"
    if outcome == Outcome.SUCCEEDED.word:
        return _SUCCEEDED.get(command, "`orchestrate status` shows whether it is up")
    if outcome == Outcome.PENDING.word:
        return _PENDING.get(command, "`orchestrate run` does it")
    if outcome in (Outcome.INVALID.word, Outcome.REFUSED.word):
        return f"follow each `fix` above, then `orchestrate {command}` again; `orchestrate explain CODE` says more"
    return _FAILED.get(command, "`orchestrate doctor` finds the cause; `orchestrate history last` shows what happened")
