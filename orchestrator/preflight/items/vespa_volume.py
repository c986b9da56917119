"""A search index outlives its container and its instance: a volume, mounted, and a container that starts by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.checklist.index_instances import each_kind, script_of
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, TenantService, unknown
from orchestrator.engine.check import Severity
from orchestrator.index import AnyIndex, provider
from orchestrator.stack.blueprint.references import referrers
from orchestrator.stack.blueprint.resources import Resource

_RESTART = re.compile(r"--restart[ =](unless-stopped|always)")
_VOLUME = """resource "aws_ebs_volume" "index" {
  availability_zone = aws_instance.NAME.availability_zone
  size              = 50
}
resource "aws_volume_attachment" "index" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.index.id
  instance_id = aws_instance.NAME.id
}"""


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The volume is Terraform's to know; how the container is started only user_data says."""
    for kind, instance in each_kind(unit, evidence):
        yield from _judged(unit, instance, provider(kind), evidence)


def _judged(unit: TenantService, instance: Resource, index: AnyIndex, evidence: Evidence) -> Iterable[Remark]:
    title, data = index.title, index.data
    apart = _has_volume(instance, evidence)
    if not apart:
        says = "the search index is lost with its instance"
        why = "no volume of its own is attached to it"
        hcl = _VOLUME.replace("NAME", index.name)
        yield _remark(unit, instance, index, ("without-volume", says, why, "its root disk alone", hcl))
    text = script_of(instance, evidence)
    if text is None:
        says = f"what starts {title}'s container can't be seen in user_data"
        yield unknown(says, subject=unit.tenant, address=instance.address)
        return
    if "docker run" in text and not _RESTART.search(text):
        says = f"{title} stays down after a stop and start of its instance"
        why = "its container has no restart policy"
        hcl = "docker run --restart unless-stopped … # in user_data"
        yield _remark(unit, instance, index, ("without-restart", says, why, "docker run without --restart", hcl))
    if apart and "docker run" in text and not re.search(rf"(-v|--volume|--mount)[ =]\S*{data}", text):
        says = "the search index is lost with its container"
        why = f"{data} is not on a volume"
        hcl = f"docker run --volume {index.mounted}/{data.rpartition('/')[2]}:{data} … # in user_data"
        yield _remark(unit, instance, index, ("without-volume", says, why, "docker run without --volume", hcl))


def _has_volume(instance: Resource, evidence: Evidence) -> bool:
    """Attached, or written into the instance and kept when that ends (AWS deletes it with the instance otherwise)."""
    if any(one.get("delete_on_termination") is False for one in instance.blocks("ebs_block_device")):
        return True
    return bool(referrers(evidence.blueprint, instance, "aws_volume_attachment", "instance_id").any)


def _remark(unit: TenantService, instance: Resource, index: AnyIndex, said: tuple[str, str, str, str, str]) -> Remark:
    what, says, why, current, hcl = said
    return Remark(
        status=Status.FAILED,
        code=f"{index.name}-{what}",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says=says,
        why=why,
        address=instance.address,
        current=current,
        wanted=f"a volume for {index.data}, and --restart unless-stopped",
        hcl=hcl,
    )


ITEM = Item(
    id="vespa-volume",
    title="The search index outlives its container and its instance",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "a volume is attached, and the container starts by itself"),
)
