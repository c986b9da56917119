"""`counts-remembered`: each service's pause remembers as many tasks as the backup says, for a resume to bring back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.aws.service_counts import Count
from orchestrator.engine.step import Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.lifecycle.pause_tags import TAG, PausedService
from orchestrator.lifecycle.services import foreign_among
from orchestrator.lifecycle.tools import Tools


@dataclass(frozen=True, slots=True)
class CountsRememberedFacts:
    """Per tenant its service's name; services by that name; how many tasks each tenant had when it was backed up.

    `foreign`: services that aren't the stack's own, and why.
    """

    names: Mapping[Subject, str]
    counts: Mapping[str, Count]
    desired: Mapping[Subject, int] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RememberCount:
    """Set the tag."""

    arn: str
    memory: PausedService


def observe(tools: Tools) -> CountsRememberedFacts:
    """One call for ten tenants."""
    names = {name: one.name for name, one in tools.stack.services.items()}
    counts = tools.counts.read(list(names.values()))
    return CountsRememberedFacts(names, counts, tools.manifest.desired, foreign_among(tools.stack, counts))


def decide(facts: CountsRememberedFacts) -> Verdicts:
    """Per tenant; one that the backup doesn't know has what Terraform gave it."""
    return {
        tenant: Done(f"{name} is left as it is: {facts.foreign[name]}")
        if name in facts.foreign
        else _verdict(facts.counts[name], facts.desired.get(tenant))
        for tenant, name in facts.names.items()
        if name in facts.counts
    }


def _verdict(count: Count, desired: int | None) -> Verdict:
    known = PausedService.parse(count.tags.get(TAG, ""))
    if known is None or count.desired:
        return Done(f"{count.name} wants {count.desired}")
    if desired is not None and known.desired != desired:
        memory = replace(known, desired=desired)
        return Todo(f"remember that {count.name} had {memory.wanted}", RememberCount(count.arn, memory))
    return Done(f"{count.name} comes back with {known.wanted}")


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One call for each."""
    each(todos, lambda tenant: tools.counts.tag(todos[tenant].payload.arn, TAG, str(todos[tenant].payload.memory)))


STEP: Step[Tools, CountsRememberedFacts] = Step(
    id="counts-remembered",
    title="the services' earlier task counts are remembered",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero", "proof"),
    timeout=300,
)
