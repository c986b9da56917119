"""The file of Terraform's `import` blocks, in the one directory where Terraform reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import Invalid, Problem
from orchestrator.terraform.import_blocks import HEAD, PASSING, PASSING_NAME, text_of
from orchestrator.terraform.leftovers import Adopt


def import_file(directory: Path, name: str, head: str = HEAD) -> Path:
    """Where it is, and nothing is there: one of ours was deleted.

    Raises `Invalid` (`import-blocks-file`) for a file that Terraform would not read, or that is somebody's own.
    """
    file = directory / name
    if file.suffix != ".tf" or file.parent.resolve() != directory.resolve():
        message, fix = "Terraform reads only *.tf files in the stack's directory", "give a name like imports.tf"
        raise Invalid(Problem("import-blocks-file", message, name, fix))
    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(head):
        message, fix = "this file exists, and orchestrate didn't write it", "give another name"
        fix = "rename it" if head == PASSING else fix
        raise Invalid(Problem("import-blocks-file", message, str(file), fix))
    file.unlink(missing_ok=True)
    return file


def write(file: Path, text: str) -> None:
    """Raises `Invalid` where that is not possible."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"the import blocks can't be written here: {error.strerror}"
        fix = "make the stack's directory writable: Terraform reads them nowhere else"
        raise Invalid(Problem("import-blocks-file", message, str(file), fix)) from None


@contextmanager
def passing(directory: Path, blocks: Sequence[Adopt]) -> Iterator[None]:
    """The blocks are there for as long as it takes to plan: a plan holds its configuration.

    What a run that was killed has left is deleted.
    """
    file = import_file(directory, PASSING_NAME, PASSING)
    if not blocks:
        yield
        return
    try:
        write(file, text_of(blocks, PASSING))
        yield
    finally:
        file.unlink(missing_ok=True)
