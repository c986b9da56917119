"""`migrated-rollout`: the services of a migrated tenant are given the revision that it was migrated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.service_settings import ClusterServices
from orchestrator.engine.step import Done, Step, Subject, Todo, Verdict, Verdicts, tenant_of
from orchestrator.engine.subjects import each
from orchestrator.lifecycle import redeploy_forced
from orchestrator.lifecycle.redeploy_forced import ForcedFacts
from orchestrator.lifecycle.schema_migrated import MigrationMemory, family_of
from orchestrator.steps.redeploy import RedeployContext


class MigratedRolloutContext(RedeployContext, Protocol):
    """What the step needs beside what a redeploy does."""

    @property
    def definitions(self) -> ClusterServices:
        """Task definitions."""
        ...

    @property
    def migrations(self) -> dict[Subject, MigrationMemory]:
        """What the run remembers, by tenant."""
        ...

    @property
    def workers_definitions(self) -> dict[Subject, str]:
        """The newest revision of each worker's task definition, as the run first saw it."""
        ...


@dataclass(frozen=True, slots=True)
class MigratedRolloutFacts:
    """What a forced redeploy sees, and the definition of each service's new deployment."""

    forced: ForcedFacts
    definitions: Mapping[Subject, str] = field(default_factory=dict)


def observe(context: MigratedRolloutContext) -> MigratedRolloutFacts:
    """As a forced redeploy; of each worker the newest definition once."""
    forced = redeploy_forced.observe(context)
    found = {tenant: one.definition.arn for tenant, one in context.migrations.items()}
    for subject, rollout in forced.seen.rollouts.items():
        if tenant_of(subject) == subject or tenant_of(subject) not in found or rollout.primary is None:
            continue
        if subject not in context.workers_definitions:
            newest = context.definitions.newest(family_of(rollout.primary.task_definition))
            context.workers_definitions[subject] = newest.arn
        found[subject] = context.workers_definitions[subject]
    return MigratedRolloutFacts(forced, found)


def decide(facts: MigratedRolloutFacts) -> Verdicts:
    """Per service: one new deployment; one that is at 0 finds its schema migrated when it is started."""
    forced = redeploy_forced.decide(facts.forced)
    return {subject: _verdict(subject, verdict, facts) for subject, verdict in forced.items()}


def _verdict(subject: Subject, verdict: Verdict, facts: MigratedRolloutFacts) -> Verdict:
    service = facts.forced.seen.rollouts[subject].service
    if service is not None and service.desired == 0 and service.deploys_itself:
        return Done(f"{service.name} is at 0: its next tasks find the schema migrated")
    if not isinstance(verdict, Todo):
        return verdict
    definition = facts.definitions.get(subject, "")
    which = definition.rpartition("/")[2]
    return Todo(f"roll {which or 'its task definition'} out to {verdict.payload}", (verdict.payload, definition))


def apply(context: MigratedRolloutContext, todos: Mapping[Subject, Todo]) -> None:
    """UpdateService, one call for each."""

    def start(subject: Subject) -> None:
        deployment = context.ecs.redeploy(*todos[subject].payload)
        context.rollout_memory.update_service(subject, lambda one: one.having_caused(deployment))

    each(todos, start)


STEP: Step[MigratedRolloutContext, MigratedRolloutFacts] = Step(
    id="migrated-rollout",
    title="migrated tenants have a new deployment of their services",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("schema-migrated",),
    timeout=300,
)
