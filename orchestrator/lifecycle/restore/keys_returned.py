"""`keys-returned`: secrets that the data need have the values they had when the data were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import KeyPart
from orchestrator.lifecycle.tools import Tools
from orchestrator.subjects import each


@dataclass(frozen=True, slots=True)
class One:
    """A kept key and the secret the new task definition names for it (empty: none). `same`: as it was."""

    kept: KeyPart
    target: str = ""
    same: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Tenant → its keys."""

    tenants: Mapping[str, tuple[One, ...]] = field(default_factory=dict)


def observe(tools: Tools) -> Facts:
    """Task definitions, and the values where a copy was kept; none of them is shown."""
    return Facts({name: tuple(_look(tools, name)) for name in tools.stack.tenants})


def _look(tools: Tools, tenant: str) -> list[One]:
    kept = tools.manifest.tenants[tenant].keys if tenant in tools.manifest.tenants else []
    if not kept:
        return []
    name = tools.stack.tenants[tenant].service
    service = tools.ecs.services([name]).get(name)
    definition = service.primary.task_definition if service and service.primary else ""
    named = {key.variable: key.source for key in tools.keys.of(definition, tools.stack.stack)} if definition else {}
    found = []
    for key in kept:
        target = named.get(key.variable, "")
        same = key.outside or not target or tools.keys.same(key.kept, target)
        found.append(One(key, target, same))
    return found


def decide(facts: Facts) -> Verdicts:
    """Per tenant."""
    return {name: _verdict(name, keys) for name, keys in facts.tenants.items()}


def _verdict(name: str, keys: tuple[One, ...]) -> Verdict:
    for one in keys:
        if not one.kept.outside and not one.target:
            message = f"{name}'s data were written with {one.kept.variable}, which its tasks no longer get"
            fix = f"give its tasks {one.kept.variable} from a secret; the value is kept in {one.kept.kept}"
            return Blocked(Problem("key-without-place", message, name, fix))
    wrong = [one for one in keys if not one.same]
    if wrong:
        names = ", ".join(one.kept.variable for one in wrong)
        return Todo(f"put {names} back", tuple((one.kept.kept, one.target) for one in wrong))
    return Done(f"{len(keys)} as they were" if keys else "its data need none")


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """From secret to secret."""

    def put_back(tenant: Subject) -> None:
        for kept, target in todos[tenant].payload:
            tools.keys.put_back(kept, target)

    each(todos, put_back)


STEP: Step[Tools, Facts] = Step(
    id="keys-returned",
    title="the keys the data need are back",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
)
