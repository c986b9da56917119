"""Imports for review: what `apply --import-existing` would import, written as Terraform's own `import` blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.events import FindingReported
from orchestrator.terraform.import_blocks import text_of
from orchestrator.terraform.leftovers import Adopt
from orchestrator.workflows.execution import Execution
from orchestrator.workflows.import_file import import_file, write
from orchestrator.workflows.leftovers import leftovers_of, tell
from orchestrator.workflows.planning import planned

if TYPE_CHECKING:
    from orchestrator.terraform import Plan, PlanOptions, Terraform


@contextmanager
def with_import_blocks(execution: Execution, terraform: Terraform, options: PlanOptions, name: str) -> Iterator[Plan]:
    """A plan that imports what is missing from the state, by the blocks that were written to the file for it.

    Planned again as long as more is found: what is inside of another object can be looked up when that one is imported.
    Raises `Invalid` (`import-blocks-file`) for a file that Terraform would not read, or that is somebody's own.
    """
    file = import_file(terraform.directory, name)
    blocks: list[Adopt] = []
    while True:
        with planned(execution, terraform, options, None) as plan:
            had = {block.address for block in blocks}
            actions = leftovers_of(execution, terraform, options, plan).look()
            new = [one for one in actions if isinstance(one, Adopt) and one.address not in had]
            if not new:
                tell(execution, [one for one in actions if not isinstance(one, Adopt)])
                yield plan
                return
        for one in new:
            detail = f"import block written to {file.name}: {one.because}"
            execution.emit(
                FindingReported(step="terraform", subject=one.address, detail=detail, code="change-planned", fix="")
            )
        blocks += new
        write(file, text_of(blocks))
