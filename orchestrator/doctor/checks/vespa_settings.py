"""How tasks are told to find Vespa: the tenant's own instance, queries on 8081 and not on the image's default 8080."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.contract import Vespa


@dataclass(frozen=True, slots=True)
class VespaSettingsCheckFacts:
    """By tenant the contract's Vespa and the task definition."""

    vespas: Mapping[str, Vespa]
    definitions: Mapping[str, TaskDefinition]


def gather(scene: Scene) -> VespaSettingsCheckFacts:
    """Nothing but what is shared."""
    return VespaSettingsCheckFacts(scene.stack.vespa, scene.definitions())


def judge(facts: VespaSettingsCheckFacts) -> Iterable[Finding]:
    """Per tenant: host, port of queries, port of the config server."""
    for tenant, vespa in facts.vespas.items():
        if tenant not in facts.definitions:
            continue
        said = facts.definitions[tenant].variables()
        wanted = {
            "VESPA_HOST": (said.get("VESPA_HOST", ""), vespa.host),
            "VESPA_PORT": (said.get("VESPA_PORT", "8081"), str(vespa.port)),
            "VESPA_TENANT_PORT": (said.get("VESPA_TENANT_PORT", "19071"), str(vespa.config_port)),
        }
        for variable, (value, right) in wanted.items():
            if value.lower() != right.lower():
                yield _wrong(tenant, variable, value, right)


def _wrong(tenant: str, variable: str, value: str, right: str) -> Finding:
    default = "; 8080 is the port the container image documents, Onyx's application package serves 8081"
    return Finding(
        code=f"vespa-{variable.removeprefix('VESPA_').lower().replace('_', '-')}-wrong",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="the tasks look for Vespa elsewhere",
        cause=f"{variable} is {value or 'not set'}, and should be {right}{default if value == '8080' else ''}",
        fix=f'{{ name = "{variable}", value = "{right}" }} in the task definition\'s environment; terraform apply',
        evidence=(f"{variable}={value}", f"wanted: {right}"),
        explains=frozenset(
            {"task-vespa-unreachable", "task-vespa-host-missing", "vespa-port-closed", "vespa-port-unpublished"}
        ),
    )


CHECK: Check[Scene, VespaSettingsCheckFacts] = Check(
    id="vespa-settings",
    title="Tasks are told where their Vespa is",
    gather=gather,
    judge=judge,
    guide_section="Vespa Vector Search Issues",
)
