"""Images have fixed tags: `latest` is another version each day, and Onyx 4 has no Vespa."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

from orchestrator.checklist.facts import service_settings, task_definition
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.checklist.vespa import instance_of, script_of
from orchestrator.doctor.checks import rollout_settings as checks
from orchestrator.engine.check import Severity

_VESPA = re.compile(r"vespaengine/vespa(?P<tag>:[\w.-]+)?")


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The containers' images, and Vespa's in its instance's user_data."""
    yield from _vespa(unit, evidence)
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = task_definition(unit.definition)
    services = {unit.tenant: service_settings(unit.service, evidence)}
    for found in checks.judge(checks.RolloutSettingsCheckFacts(services, {unit.tenant: definition}, {}, "")):
        if found.code == "image-not-pinned":
            images = [one.partition(": ")[2].rsplit("@", 1)[0] for one in found.evidence]
            yield from_finding(
                found,
                address=unit.definition.address,
                current=", ".join(found.evidence),
                wanted="a fixed 2.x tag",
                hcl="\n".join(f'image = "{one.removesuffix(":latest")}:v2.0.0"' for one in images),
            )


def _vespa(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    instance = None
    with suppress(NotConcerned, NotKnown):
        instance = instance_of(unit, evidence)
    met = _VESPA.search(script_of(instance, evidence) or "") if instance else None
    if instance and met and (met["tag"] or ":latest") == ":latest":
        yield Remark(
            status=Status.FAILED,
            code="image-not-pinned",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says="a new instance may run another Vespa than this one, which can't read its index",
            why="Vespa's image has no fixed tag",
            address=instance.address,
            current=met[0],
            wanted="a fixed 8.x tag",
            hcl="vespaengine/vespa:8.609.39 # in user_data",
        )


ITEM = Item(
    id="image-pinned",
    title="Images have fixed tags",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "every image has a fixed tag"),
)
