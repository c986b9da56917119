"""Actions that Terraform (1.14 or newer) invokes while it applies: they change the world and are in no state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import Subject
from orchestrator.stack.blueprint.changes import ActionInvocation

_STOP = "aws_ec2_stop_instance"
_ABOUT: Mapping[str, str] = {
    _STOP: "instance_id",
    "aws_lambda_invoke": "function_name",
    "aws_codebuild_start_build": "project_name",
    "aws_sfn_start_execution": "state_machine_arn",
    "aws_sns_publish": "topic_arn",
    "local_command": "command",
}
"""Type of an action → the argument that says what it acts on (AWS provider 6, local provider 2.6)."""
_WHEN: Mapping[str, str] = {
    f"{when}{what}": f"{when.lower()} it {doing}"
    for when in ("Before", "After")
    for what, doing in {"Create": "creates", "Update": "updates", "Destroy": "destroys"}.items()
}


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """One that stops an instance by what is lost meanwhile; of the others nobody can say what they do."""
    for one in scene.invocations:
        about = _about(one)
        tenant = _owner(one, about, scene)
        yield _stop(one, about, tenant) if one.type == _STOP else _invoked(one, about, tenant)


def _about(one: ActionInvocation) -> str:
    value = one.config.get(_ABOUT.get(one.type, ""))
    return value if isinstance(value, str) else ""


def _owner(one: ActionInvocation, about: str, scene: PlanReading) -> Subject:
    """Whose the thing is that it acts on, else whose the resource is that triggers it."""
    if about in scene.tenancy.by_value:
        return scene.tenancy.by_value[about]
    changes = (change for of_type in scene.changes.values() for change in of_type)
    return next((scene.owner(change) for change in changes if change.address == one.trigger), "")


def _why(one: ActionInvocation) -> str:
    when = f"{_WHEN[one.event]} {one.trigger}" if one.event in _WHEN else f"because of {one.trigger or '-invoke'}"
    return f"Terraform invokes {one.address} ({one.type}) {when}"


def _stop(one: ActionInvocation, instance: str, tenant: Subject) -> Consequence:
    missing = "search and chat don't work" if tenant else "what runs on it is down"
    start = f"`aws ec2 start-instances --instance-ids {instance}`" if instance else "it must be started by hand"
    return Consequence(
        code="action-stops-instance",
        effect=Effect.DISTURBANCE,
        name=f"action:{one.address}",
        says=f"an action stops the instance {instance or 'of this plan'}: {missing} until it is started again",
        why=_why(one),
        then=f"Terraform doesn't start it again: {start}",
        address=one.address,
        subject=tenant,
    )


def _invoked(one: ActionInvocation, about: str, tenant: Subject) -> Consequence:
    return Consequence(
        code="action-invoked",
        effect=Effect.WORK,
        name=f"action:{one.address}",
        says=f"the action {one.address} runs{f' ({about})' if about else ''}: the plan doesn't say what it does",
        why=_why(one),
        then="it runs before the steps of `orchestrate`; if it fails, the next apply doesn't run it again, but "
        f"`terraform apply -invoke={one.address}` does",
        address=one.address,
        subject=tenant,
    )


KIND = Kind("Actions", judge)
