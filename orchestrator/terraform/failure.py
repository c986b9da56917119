"""Terraform's errors as problems. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.errors import Expired, Locked, OrchestratorError, Problem
from orchestrator.terraform.stream import Diagnostic

# Terraform has no codes: its summaries are the only thing to go by.
_CODES = {
    "Error acquiring the state lock": "state-locked",
    "Saved plan is stale": "plan-stale",
    "Value for undeclared variable": "undeclared-variable",
}
_FIXES = {
    "plan-stale": "make a new plan: the state has changed since this one was made",
    "credentials-expired": "sign in again (`aws sso login`, or new keys) and run the same command: it continues",
    "exists-already": (
        "if it is this stack's (an apply may have been killed after creating it), `terraform import ADDRESS ID` and "
        "run again; else delete it or choose another name"
    ),
    "redis-import-unfinished": (
        "delete the file with import blocks, if there is one, and run the same command again: the AWS provider 5 once "
        "sends an empty token to a Redis group that was imported, which AWS refuses; nothing was changed there, and "
        "the next apply leaves it alone"
    ),
}
_EXISTS = re.compile(
    r"\b(\w*AlreadyExists\w*|BucketAlreadyOwnedByYou|ResourceExistsException|Duplicate\w*Name|InvalidGroup\.Duplicate)\b"
)
"""AWS's own codes, which stand in the text of the provider's errors."""
_EMPTY_TOKEN = re.compile(
    r"modifying ElastiCache Replication Group \(\S+\) authentication: .*Invalid AuthToken", re.DOTALL
)
"""The provider's words and ElastiCache's: its default for `auth_token_update_strategy` is a change after an import."""
_NEEDS_INIT = re.compile(r"\b(terraform|tofu) init\b")
_EXPIRED = re.compile(
    r"\b(ExpiredToken\w*|RequestExpired)\b|token included in the request is expired|SSO session .* expired"
)
_BOX = "╷│╵ \t"


class TerraformFailed(OrchestratorError):
    """Terraform ended with errors of its own: one problem for each."""


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds the state, as the lock itself says; fields that a backend doesn't tell are empty."""

    id: str = ""
    who: str = ""
    operation: str = ""
    created: str = ""
    path: str = ""


class StateLocked(Locked):
    """Another terraform holds the lock of the state. Nothing was changed."""

    def __init__(self, problem: Problem, lock: LockInfo) -> None:
        super().__init__(problem)
        self.lock = lock


def failed(
    errors: Sequence[Diagnostic], complaint: str, redact: Callable[[str], str], *, status: int
) -> OrchestratorError:
    """The exception for a terraform that ended with `status`: from its diagnostics, else from its stderr."""
    for error in errors:
        if _CODES.get(error.summary) == "state-locked":
            return _locked(redact(error.detail))
    if errors:
        return _of(errors, redact)
    if status < 0:
        return TerraformFailed(_killed(-status))
    said = from_text(complaint) or [Diagnostic("error", f"terraform ended with status {status} and said nothing")]
    return _of(said, redact)


def _of(errors: Sequence[Diagnostic], redact: Callable[[str], str]) -> OrchestratorError:
    """Credentials that ended are a matter of their own: with new ones the same command goes on."""
    problems = [_problem(error, redact) for error in errors]
    kind = Expired if any(one.code == "credentials-expired" for one in problems) else TerraformFailed
    return kind(*problems)


def wants_init(error: OrchestratorError) -> bool:
    """Terraform says itself that the directory has to be initialised (again)."""
    return any(_NEEDS_INIT.search(problem.message) for problem in error.problems)


def from_text(complaint: str) -> Sequence[Diagnostic]:
    """The errors in what terraform prints for people: framed paragraphs that begin with `Error: `."""
    lines = [line.strip(_BOX) for line in complaint.splitlines()]
    text = "\n".join(lines).strip()
    parts = re.split(r"^Error: ", text, flags=re.MULTILINE)[1:]
    if not parts:
        return (Diagnostic("error", text),) if text else ()
    split = (part.strip().partition("\n") for part in parts)
    return tuple(Diagnostic("error", summary, detail.strip()) for summary, _, detail in split)


def lock_info(detail: str) -> LockInfo:
    """The fields of the `Lock Info:` paragraph, the same for every backend."""
    said = dict(re.findall(r"^\s*(ID|Path|Operation|Who|Created):[ \t]*(.*?)[ \t]*$", detail, flags=re.MULTILINE))
    return LockInfo(
        id=said.get("ID", ""),
        who=said.get("Who", ""),
        operation=said.get("Operation", ""),
        created=said.get("Created", ""),
        path=said.get("Path", ""),
    )


def _problem(error: Diagnostic, redact: Callable[[str], str]) -> Problem:
    message = ": ".join(filter(None, (error.summary.strip(), error.detail.strip())))
    code = _CODES.get(error.summary) or ("exists-already" if _EXISTS.search(message) else "terraform-failed")
    code = "credentials-expired" if _EXPIRED.search(message) else code
    code = "redis-import-unfinished" if _EMPTY_TOKEN.search(message) else code
    context = " ".join(filter(None, (error.address, error.place)))
    return Problem(code, redact(message), context=redact(context), fix=_fix(code, error.address))


def _fix(code: str, address: str) -> str:
    fix = _FIXES.get(code, "")
    return fix.replace("ADDRESS", f"'{address}'") if address else fix


def _killed(signal: int) -> Problem:
    return Problem(
        "terraform-killed",
        f"terraform was killed by signal {signal}: what it was creating may exist without being in the state",
        fix="run again: what is found in AWS and is this stack's is offered for import (--import-existing imports it)",
    )


def _locked(detail: str) -> StateLocked:
    lock = lock_info(detail)
    since = f" since {lock.created}" if lock.created else ""
    holder = f"{lock.who or 'somebody'} holds it{since} for {lock.operation or 'another operation'}"
    fix = "wait until that run ends"
    if lock.id:
        fix += f"; if it is certainly dead, unlock the state with `terraform force-unlock {lock.id}`"
    message = f"the Terraform state is locked: {holder} (lock {lock.id or 'without id'})"
    return StateLocked(Problem("state-locked", message, context=lock.path, fix=fix), lock)
