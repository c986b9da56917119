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
"""Only failures are red: a refusal did no harm, a wait may still succeed, an interrupted run can continue."""

_GOES_ON = {UNFINISHED, Outcome.INTERRUPTED.word, Outcome.EXPIRED.word, Outcome.LOCKED.word}
_STATUS = "`orchestrate status` shows whether it is up"
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
    "status": "`orchestrate open TENANT` opens a site; `orchestrate history` shows what was done here",
    "preflight": "`orchestrate plan` shows what an apply would do",
    "certificate": "`orchestrate run` brings the rest to life",
    "dns apply": "`orchestrate dns check` shows what the zone's servers and public resolvers say",
    "dns undo": "`orchestrate dns check` shows what the zone's servers and public resolvers say",
    "tasks": "`orchestrate logs --since 1h` shows what they wrote; `orchestrate doctor` finds causes",
    "logs": "`orchestrate doctor` finds the cause of what went wrong",
}
_PENDING = {
    "plan": "`orchestrate apply` does it",
    "status": "`orchestrate run` does it; `orchestrate doctor` finds what keeps a site from working",
    "dns plan": "`orchestrate dns apply` does it",
    "dns check": "`orchestrate dns check` again in a minute: public resolvers follow with a delay",
}
AFTERWARDS = {
    "completion": "`orchestrate completion bash --install` installs it",
    "config": "`orchestrate contract` shows what is known about the stack",
    "contract": _STATUS,
    "explain": "`orchestrate doctor` finds what is wrong here",
    "fleet cancel": "`orchestrate fleet list` shows the orders",
    "fleet list": "`orchestrate fleet show ORDER` shows how it went at each stack",
    "fleet policy": "`orchestrate policy run status --contract s3://BUCKET/KEY` prints what a stack's role needs",
    "fleet schedule": "`orchestrate fleet worker` carries it out; `orchestrate fleet list` shows what it did",
    "fleet stacks": "`orchestrate fleet status` shows which of them are up",
    "fleet submit": "`orchestrate fleet show ORDER` shows how far it is",
    "history": "`orchestrate history last` shows the last one whole, `orchestrate history last --open` its page",
    "init": "`orchestrate contract` shows where each value comes from; `orchestrate preflight` checks the plan",
    "local down": "`orchestrate local up --stack` makes a new one",
    "local env": '`eval "$(orchestrate local env)"` puts them into this shell',
    "local fault": "`orchestrate doctor` finds it; `orchestrate local fault --clear` ends it",
    "local faults": "`orchestrate local fault NAME` injects one",
    "local status": "`orchestrate local down` ends it",
    "lock": "`orchestrate unlock` releases the lock of a run that has died",
    "open": _STATUS,
    "policy": "`orchestrate policy COMMAND > policy.json` writes it to a file",
    "schedule": "`orchestrate schedule --work` carries it out",
    "unlock": "`orchestrate history` shows what was done here",
    "version": "`orchestrate doctor --bundle case.zip` packs the evidence for a bug report",
}
"""What one would do after a command that only answers a question."""
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
        return _SUCCEEDED.get(command, _STATUS)
    if outcome == Outcome.PENDING.word:
        return _PENDING.get(command, "`orchestrate run` does it")
    if outcome in (Outcome.INVALID.word, Outcome.REFUSED.word):
        return f"follow each `fix` above, then `orchestrate {command}` again; `orchestrate explain CODE` says more"
    return _FAILED.get(command, "`orchestrate doctor` finds the cause; `orchestrate history last` shows what happened")
