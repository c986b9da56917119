"""How tasks find their index: at the tenant's own instance; Vespa's queries on 8081, not the image's 8080."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.index import PROVIDERS, UNREACHABLE, AnyIndex
from orchestrator.stack.indexes import KnownServer

_REMARKS = {
    ("VESPA_PORT", "8080"): "8080 is the port the container image documents, Onyx's application package serves 8081"
}


@dataclass(frozen=True, slots=True)
class IndexSettingsCheckFacts:
    """By tenant the contract's index and the task definition."""

    indexes: Mapping[str, KnownServer]
    definitions: Mapping[str, TaskDefinition]


@dataclass(frozen=True, slots=True)
class IndexSettingsCheck:
    """The check of one kind of index."""

    index: AnyIndex

    def gather(self, scene: Scene) -> IndexSettingsCheckFacts:
        """Nothing but what is shared."""
        return IndexSettingsCheckFacts(self.index.of(scene.stack), scene.definitions())

    def judge(self, facts: IndexSettingsCheckFacts) -> Iterable[Finding]:
        """Per tenant: the host first, then the ports."""
        for subject, definition in facts.definitions.items():
            one = facts.indexes.get(tenant_of(subject))
            if one is None:
                continue
            said = definition.variables()
            for variable, setting in self.index.settings(one).items():
                value = said.get(variable, setting.default)
                if value.lower() != setting.wanted.lower():
                    yield self._wrong(subject, variable, value, setting.wanted)

    def _wrong(self, tenant: str, variable: str, value: str, right: str) -> Finding:
        name = self.index.name
        remark = f"; {said}" if (said := _REMARKS.get((variable, value))) else ""
        where = variable.lower().removeprefix(f"{name}_").replace("_", "-")
        return Finding(
            code=f"{name}-{where}-wrong",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the tasks look for {self.index.title} elsewhere",
            cause=f"{variable} is {value or 'not set'}, and should be {right}{remark}",
            fix=f'{{ name = "{variable}", value = "{right}" }} in the task definition\'s environment; terraform apply',
            evidence=(f"{variable}={value}", f"wanted: {right}"),
            explains=frozenset(
                {
                    *UNREACHABLE,
                    f"task-{name}-unreachable",
                    f"task-{name}-host-missing",
                    f"{name}-port-closed",
                    f"{name}-port-unpublished",
                }
            ),
        )

    def check(self) -> Check[Scene, IndexSettingsCheckFacts]:
        """For the doctor."""
        return Check(
            id=f"{self.index.name}-settings",
            title=f"Tasks are configured with the address of their {self.index.title}",
            gather=self.gather,
            judge=self.judge,
            guide_section=self.index.guide_section,
        )


CHECKS = tuple(IndexSettingsCheck(one).check() for one in PROVIDERS)
