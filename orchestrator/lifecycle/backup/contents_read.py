"""`contents-read`: what each tenant's database holds is known in figures, for the proof after a restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.database.inventory import READERS, DatabaseInventory, inventories
from orchestrator.engine.step import Done, Step, Subject, Todo, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.errors import counted
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import human


@dataclass(frozen=True, slots=True)
class ContentsReadFacts:
    """What this run has read so far."""

    tenants: tuple[str, ...]
    read: Mapping[str, DatabaseInventory] = field(default_factory=dict)


def observe(tools: Tools) -> ContentsReadFacts:
    """No call: reading every row is no look, it is the work."""
    return ContentsReadFacts(tuple(tools.stack.tenants), dict(tools.memory.inventories))


def decide(facts: ContentsReadFacts) -> Verdicts:
    """Per tenant."""
    return {
        tenant: Done(
            f"{counted(len(facts.read[tenant].tables), 'table')}, {counted(facts.read[tenant].rows, 'row')}, "
            f"{human(facts.read[tenant].bytes)}"
        )
        if tenant in facts.read
        else Todo("read its database", tenant)
        for tenant in facts.tenants
    }


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """Reads every row of those tenants' databases; changes nothing in them."""
    wanted = {one.tenant: one for one in tools.wanted if one.tenant in todos}
    each(
        wanted,
        lambda tenant: tools.memory.inventories.update(inventories(tools.database, [wanted[tenant]])),
        at_once=READERS,
    )


STEP: Step[Tools, ContentsReadFacts] = Step(
    id="contents-read",
    title="what the databases hold is known",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero", "database-server", "runner"),
    timeout=3 * 3600,
)
