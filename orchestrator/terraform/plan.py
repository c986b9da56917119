"""A plan as a value: what it would do, bound to exactly one file, which is deleted with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orchestrator.errors import Invalid, Problem
from orchestrator.redact import Redactor
from orchestrator.terraform.scratch import Scratch

# What we set ourselves, and what would put values into argv.
_OURS = frozenset({"out", "json", "detailed-exitcode", "input", "var", "var-file", "target", "replace", "destroy"})


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Terraform's own options of `plan`.

    `variables` are raw `name=value` texts and win over `var_files`; the paths of those are relative to the directory
    of the configuration, as with terraform's -chdir. `extra` takes any other flag (`-parallelism=5`).
    """

    variables: Sequence[str] = field(default=(), repr=False)
    var_files: Sequence[str] = ()
    targets: Sequence[str] = ()
    replaces: Sequence[str] = ()
    destroy: bool = False
    refresh: bool = True
    extra: Sequence[str] = ()

    def __post_init__(self) -> None:
        names = [flag.lstrip("-").partition("=")[0] for flag in self.extra]
        if bad := [name for name in names if name in _OURS]:
            fix = "use the option of orchestrate that does it, or leave it out"
            raise Invalid(*(Problem("option-taken", f"-{name} can't be passed on as it is", fix=fix) for name in bad))


@dataclass
class Plan:
    """A plan file and what it says. A context manager: a plan that we made is gone when it ends.

    `has_changes` counts outputs too. `checksum` (SHA-256 of the file) is what a confirmation is bound to. `text` and
    `json` ask terraform when first read (seconds each, for its providers have to start) and are kept; they can't be
    asked once the file is deleted, which `apply` does as soon as changes begin. `json` holds secrets in clear.
    """

    path: Path
    has_changes: bool
    checksum: str
    redact: Redactor = field(repr=False)
    read_text: Callable[[Path], str] = field(repr=False)
    read_json: Callable[[Path], dict[str, Any]] = field(repr=False)
    var_files: Sequence[str] = ()
    folder: Scratch | None = None
    """Ours to delete; None for a plan file that the operator gave."""

    @cached_property
    def text(self) -> str:
        """The plan for people, as terraform writes it, without colours."""
        return self.redact(self.read_text(self.path))

    @cached_property
    def json(self) -> dict[str, Any]:
        """`terraform show -json` of the plan."""
        return self.read_json(self.path)

    def discard(self) -> None:
        """Delete the files, if they are ours. May be called again."""
        if self.folder is not None:
            self.folder.delete()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.discard()


def checksum(path: Path) -> str:
    """SHA-256 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
