"""`keys-returned`: secrets that the data need have the values they had when the data were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.aws.keys import Key, secret_of
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import KeyPart
from orchestrator.lifecycle.tools import Tools
from orchestrator.stack.ownership import PartKind, word


@dataclass(frozen=True, slots=True)
class KeyState:
    """A kept key and the secret the new task definition names for it (empty: none). `same`: as it was.

    `foreign`: why that secret isn't the stack's own; empty: it is.
    """

    kept: KeyPart
    target: str = ""
    same: bool = True
    foreign: str = ""


@dataclass(frozen=True, slots=True)
class KeysReturnedFacts:
    """Tenant → its keys; or why they can't be read."""

    tenants: Mapping[str, tuple[KeyState, ...]] = field(default_factory=dict)
    unread: Mapping[str, Unread] = field(default_factory=dict)


def observe(tools: Tools) -> KeysReturnedFacts:
    """Task definitions, and the values where a copy was kept; none of them is shown."""
    seen = attempt(tools.stack.tenants, lambda name: tuple(_look(tools, name)))
    return KeysReturnedFacts(seen.results, Unread.each(seen.failures))


def _look(tools: Tools, tenant: str) -> list[KeyState]:
    kept = tools.manifest.tenants[tenant].keys if tenant in tools.manifest.tenants else []
    if not kept:
        return []
    services = tools.ecs.services([one.name for one in tools.stack.tenants[tenant].services(tenant)])
    named: dict[str, Key] = {}
    for service in services.values():
        definition = service.primary.task_definition if service.primary else ""
        known = tools.keys.of(definition, tools.stack.stack, tools.goes) if definition else ()
        named = {key.variable: key for key in known} | named
    found = []
    for key in kept:
        target = named[key.variable].source if key.variable in named else ""
        same = key.outside or not target or tools.keys.same(key.kept, target)
        found.append(KeyState(key, target, same, _objection(tools, named[key.variable]) if target else ""))
    return found


def _objection(tools: Tools, key: Key) -> str:
    """Why nothing may be written to the secret; empty: it may. What its tag says of this stack is in `outside`."""
    known, secret = tools.stack.ownership, secret_of(key.source)
    if why := known.objection(PartKind.SECRET, secret, tools.stack.stack):
        return why
    told = not key.outside or word(PartKind.SECRET, secret) in known.named
    return "" if told else "neither a Terraform state nor its tag Stack says that it is this stack's"


def decide(facts: KeysReturnedFacts) -> Verdicts:
    """Per tenant."""
    unread = {name: one.verdict for name, one in facts.unread.items()}
    return {**unread, **{name: _verdict(name, keys) for name, keys in facts.tenants.items()}}


def _verdict(name: str, keys: tuple[KeyState, ...]) -> Verdict:
    for one in keys:
        if not one.kept.outside and not one.target:
            message = f"{name}'s data needs {one.kept.variable}, which its tasks no longer get"
            fix = f"give its tasks {one.kept.variable} from a secret; the value is kept in {one.kept.kept}"
            return Blocked(Problem("key-without-place", message, name, fix))
    wrong = [one for one in keys if not one.same]
    for one in wrong:
        if one.foreign:
            message = f"{one.kept.variable} of {name} comes from {one.target}, which is left as it is: {one.foreign}"
            fix = f"give its tasks a secret of the stack's own, with the value that is kept in {one.kept.kept}"
            return Blocked(Problem("key-not-this-stacks", message, name, fix), refused=True)
    if wrong:
        names = ", ".join(one.kept.variable for one in wrong)
        return Todo(f"put {names} back", tuple((one.kept.kept, one.target) for one in wrong))
    return Done(f"{len(keys)} as they were" if keys else "its data needs none")


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """From secret to secret."""

    def put_back(tenant: Subject) -> None:
        for kept, target in todos[tenant].payload:
            tools.keys.put_back(kept, target)

    each(todos, put_back)


STEP: Step[Tools, KeysReturnedFacts] = Step(
    id="keys-returned",
    title="the keys that the data needs are back",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
)
