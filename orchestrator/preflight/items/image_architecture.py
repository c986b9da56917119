"""Processors: an image built for one kind doesn't start on the other (`exec format error`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.checklist.facts import is_on_fargate, task_definition
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    Status,
    TenantService,
)
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

X86, ARM = "X86_64", "ARM64"
_SUFFIX = {"amd64": X86, "x86_64": X86, "arm64": ARM, "aarch64": ARM}
_MARK = re.compile(r"[-_.](amd64|x86_64|arm64|aarch64)$", re.IGNORECASE)
_SINGLE = ("onyxdotapp/",)
"""Images that are only promised for x86-64: Onyx 2.x."""


def judge(unit: TenantService, _evidence: Evidence) -> Iterable[Remark]:
    """An image's tag that names its processor, against the task's; Onyx's own on ARM is worth a look."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = task_definition(unit.definition)
    marked = any(map(_of, (one.image for one in definition.containers)))
    if marked and not unit.definition.get("runtime_platform") and not is_on_fargate(unit.service):
        raise NotKnown(unit.service.address, "the processor of the instances that it runs on")
    platform = _architecture(unit.definition)
    wrong = {one.name: one.image for one in definition.containers if _of(one.image) not in ("", platform)}
    unsure = [one.image for one in definition.containers if one.image.startswith(_SINGLE)]
    if wrong:
        yield _remark(unit.tenant, unit.definition, platform, wrong, Severity.BLOCKER)
    elif platform == ARM and unsure:
        images = {one.name: one.image for one in definition.containers if one.image in unsure}
        yield _remark(unit.tenant, unit.definition, platform, images, Severity.WARNING)


def _architecture(definition: Resource) -> str:
    """What ECS takes when nothing is said: X86_64."""
    said = definition.get("runtime_platform", 0, "cpu_architecture")
    if said is UNKNOWN:
        raise NotKnown(definition.address, "runtime_platform.cpu_architecture")
    return str(said or X86)


def _of(image: str) -> str:
    met = _MARK.search(image)
    return _SUFFIX[met[1].lower()] if met else ""


def _remark(tenant: str, definition: Resource, platform: str, images: dict[str, str], severity: Severity) -> Remark:
    other = X86 if platform == ARM else ARM
    return Remark(
        status=Status.FAILED,
        code="image-architecture-mismatch",
        severity=severity,
        subject=tenant,
        says="the containers may not start: exec format error",
        why=f"the task runs on {platform}, but these images are built for {other}, or not certainly for {platform}",
        address=definition.address,
        current=f"{platform}; {', '.join(f'{name}: {image}' for name, image in images.items())}",
        wanted=f"{other}, or images for {platform}",
        hcl=f'runtime_platform {{\n  operating_system_family = "LINUX"\n  cpu_architecture        = "{other}"\n}}',
    )


ITEM = Item(
    id="image-architecture",
    title="Images are built for the task's processor",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "no mismatch was found"),
)
