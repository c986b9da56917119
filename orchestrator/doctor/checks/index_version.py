"""Each version of Onyx has the search indexes that it needs: 2 Vespa, 3 both, 4 OpenSearch, Lite none.

A task that lacks one dies at its start, and says no more than that it found no document index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.index import PROVIDERS, UNREACHABLE, provider
from orchestrator.stack.applications import is_another, major_of
from orchestrator.stack.indexes import OPENSEARCH, VESPA

NEEDED: Mapping[int, tuple[str, ...]] = {2: (VESPA,), 3: (VESPA, OPENSEARCH), 4: (OPENSEARCH,)}
"""Major version → what its api waits for when it starts (read in Onyx's source up to v4.6.1)."""
_IN_TERRAFORM = {2: '"vespa"', 3: '"both"', 4: '"opensearch", or "both" to keep Vespa'}
_EXPLAINS = frozenset(
    {
        *UNREACHABLE,
        *(f"task-{one.name}-{what}" for one in PROVIDERS for what in ("unreachable", "host-missing")),
        *(f"{one.name}-host-wrong" for one in PROVIDERS),
        "task-container-exited",
    }
)


@dataclass(frozen=True, slots=True)
class IndexVersionCheckFacts:
    """By subject the task definition in use; by tenant the kinds of index that the contract names."""

    definitions: Mapping[str, TaskDefinition]
    kinds: Mapping[str, tuple[str, ...]]


def gather(scene: Scene) -> IndexVersionCheckFacts:
    """Nothing but what is shared."""
    kinds: dict[str, tuple[str, ...]] = {}
    for one in scene.stack.indexes:
        kinds[one.tenant] = (*kinds.get(one.tenant, ()), one.kind)
    own = {name: it for name, it in scene.definitions().items() if name in scene.stack.tenants}
    return IndexVersionCheckFacts(own, kinds)


def judge(facts: IndexVersionCheckFacts) -> Iterable[Finding]:
    """Per tenant; nothing is said of a version that no tag tells."""
    for tenant, definition in facts.definitions.items():
        major = major_of([one.image for one in definition.containers])
        if major is None or major not in NEEDED or _is_told_elsewhere(definition):
            continue
        said, secret = definition.variables(), definition.secret_names()
        lacking = [
            kind
            for kind in _needed(major, said)
            if not said.get(provider(kind).host_variable)
            and provider(kind).host_variable not in secret
            # What Onyx 2 isn't told of an index that it has, the index's own settings tell better.
            and (major > 2 or kind not in facts.kinds.get(tenant, ()))
        ]
        if lacking:
            yield _lacks(tenant, definition, (major, lacking), facts.kinds.get(tenant, ()))


def _is_told_elsewhere(definition: TaskDefinition) -> bool:
    """Another application, Onyx Lite, or settings that come from a file."""
    another = is_another([one.image for one in definition.containers])
    lite = definition.variables().get("DISABLE_VECTOR_DB", "").lower() == "true"
    return another or lite or any(one.environment_files for one in definition.containers)


def _needed(major: int, said: Mapping[str, str]) -> tuple[str, ...]:
    """With ONYX_DISABLE_VESPA false Onyx 4 asks for Vespa too."""
    also = major > 3 and said.get("ONYX_DISABLE_VESPA", "true").lower() == "false"
    return (VESPA, *NEEDED[major]) if also else NEEDED[major]


def _lacks(tenant: str, definition: TaskDefinition, needs: tuple[int, list[str]], there: tuple[str, ...]) -> Finding:
    major, lacking = needs
    titles = " and ".join(provider(kind).title for kind in lacking)
    variables = ", ".join(provider(kind).host_variable for kind in lacking)
    has = " and ".join(provider(kind).title for kind in there) or "none"
    skipped = major > 3 and there == (VESPA,)
    way = (
        'go back to 2.x, then by way of 3.x (index = "both"), which copies the documents: 4.x can\'t, and finds nothing'
        if skipped
        else f"index = {_IN_TERRAFORM[major]} for the tenant in terraform/, or {variables} in the task definition; "
        "terraform apply"
    )
    images = sorted({one.image for one in definition.containers if "onyx-backend" in one.image})
    return Finding(
        code="index-for-version-missing",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"Onyx {major} does not start: it finds no {titles}",
        cause=f"Onyx {major} needs {titles}, and its tasks have no {variables}; the contract names {has}",
        fix=way,
        evidence=(*images, f"{variables}: not set"),
        explains=_EXPLAINS,
    )


CHECK: Check[Scene, IndexVersionCheckFacts] = Check(
    id="index-version",
    title="Each version of Onyx has the search indexes that it needs",
    gather=gather,
    judge=judge,
)
