"""EC2: instances take their time to stop and to start.

moto: stopped and running at once, whatever the state was. AWS: `stopping`, then `stopped`; `pending`, then `running`;
what is on its way can't be started or stopped (IncorrectInstanceState), and where there is no room it isn't started
(InsufficientInstanceCapacity; AWS answers with 500, which SDKs repeat, this with 400). One whose volumes can't be
opened stops again by itself (`lent_keys`). Volumes stay attached, and the container that ran runs again. Left out:
launches (running at once), reboots, hibernation, stop protection's details.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState, StateReason

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ec2.lent_keys import CODE, MESSAGE, WithheldKeys

STOP_SECONDS = 30.0
START_SECONDS = 15.0
FALL_SECONDS = 5.0
CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}

Moved = list[tuple[Instance, InstanceState]]


def install(cloud: Cloud) -> None:
    """Stops and starts."""
    start, stop = InstanceBackend.start_instances, InstanceBackend.stop_instances

    def start_instances(self: Any, instance_ids: list[str]) -> Moved:
        asked = self.get_multi_instances_by_id(instance_ids)
        _refuse(asked, while_in={"stopping", "shutting-down", "terminated"}, doing="started")
        stopped = [one for one in asked if one.state == "stopped"]
        if stopped and cloud.faults.active("instance-no-capacity"):
            raise _no_capacity(stopped[0])
        moved: Moved = start(self, instance_ids)
        sealed = [one for one in stopped if one.id in cloud.shared(WithheldKeys).instances]
        _pass_through(cloud, [one for one in stopped if one not in sealed], "pending", START_SECONDS, "running")
        _pass_through(cloud, sealed, "pending", FALL_SECONDS, "stopped")
        for one in sealed:
            one.state_reason = StateReason(MESSAGE, CODE)
        return moved

    def stop_instances(self: Any, instance_ids: list[str]) -> Moved:
        asked = self.get_multi_instances_by_id(instance_ids)
        _refuse(asked, while_in={"pending", "shutting-down", "terminated"}, doing="stopped")
        running = [one for one in asked if one.state == "running"]
        moved: Moved = stop(self, [one.id for one in running])
        _pass_through(cloud, running, "stopping", STOP_SECONDS, "stopped")
        return [*moved, *((one, InstanceState(one.state, CODES[one.state])) for one in asked if one not in running)]

    replace(InstanceBackend, start_instances=start_instances, stop_instances=stop_instances)


def _refuse(instances: list[Instance], *, while_in: set[str], doing: str) -> None:
    for one in instances:
        if one.state in while_in:
            message = f"The instance '{one.id}' is not in a state from which it can be {doing}."
            raise EC2ClientError("IncorrectInstanceState", message)


def _no_capacity(instance: Instance) -> EC2ClientError:
    zone = instance.placement
    return EC2ClientError(
        "InsufficientInstanceCapacity",
        f"We currently do not have sufficient {instance.instance_type} capacity in the Availability Zone you requested "
        f"({zone}). Our system will be working on provisioning additional capacity.",
    )


def _pass_through(cloud: Cloud, instances: list[Instance], during: str, seconds: float, then: str) -> None:
    for one in instances:
        _become(one, during)

    def end() -> None:
        for one in instances:
            if one.state == during:
                _become(one, then)

    cloud.after(seconds, end)


def _become(instance: Instance, state: str) -> None:
    instance._state.name, instance._state.code = state, CODES[state]
