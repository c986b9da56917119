"""Systems Manager in moto: commands that wait for a real agent, and the calls moto lacks.

What moto gets wrong: `SendCommand` answers Success at once with empty output, even for an instance that does not exist;
DescribeInstanceInformation, ListCommandInvocations and CancelCommand are not implemented; a restarted instance keeps
its old LaunchTime. Left out: documents other than AWS-RunShellScript, output to S3 and CloudWatch,
notifications, MaxConcurrency and MaxErrors, pages (every answer is one page). Sessions: `ssm_sessions`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance, InstanceState
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from orchestrator.local.ssm.nodes import Node, nodes
from orchestrator.local.ssm.run_command import NEVER_RAN, Command, Invocation, commands

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

CONSISTENT_AFTER = 2.0
"""Seconds until GetCommandInvocation knows a command that was sent."""
DELIVERY_TIMEOUT = 3600
"""Seconds; AWS's default for TimeoutSeconds."""
DOCUMENT = "AWS-RunShellScript"
PLUGIN = "aws:runShellScript"
PARAMETERS = frozenset({"commands", "workingDirectory", "executionTimeout"})
EXECUTION_TIMEOUT = re.compile(r"[1-9][0-9]{0,4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800")
AGENT_VERSION = "3.3.987.0"
OUTPUT_KEPT = 2_500
"""Characters of output ListCommandInvocations shows (CommandPluginOutput)."""

Answer = dict[str, Any]
_moto_start = Instance.start
_moto_reboot = Instance.reboot


def install(cloud: Cloud) -> None:
    """Replace moto's Run Command by one that `local.agent` serves. May be called again, for another cloud."""
    answers: dict[str, Callable[[Cloud, Any], Answer]] = {
        "send_command": _send_command,
        "get_command_invocation": _get_command_invocation,
        "list_commands": _list_commands,
        "list_command_invocations": _list_command_invocations,
        "cancel_command": _cancel_command,
        "describe_instance_information": _describe_instance_information,
    }
    for name, answer in answers.items():
        setattr(SimpleSystemManagerResponse, name, _method(cloud, answer))
    setattr(Instance, "start", _start_instance)  # noqa: B010 - a method of a class that is not ours
    setattr(Instance, "reboot", _reboot_instance)  # noqa: B010


def _method(cloud: Cloud, answer: Callable[[Cloud, Any], Answer]) -> Callable[[Any], ActionResult]:
    return lambda request: ActionResult(answer(cloud, request))


def _start_instance(instance: Any) -> InstanceState:
    """A restart gives a new LaunchTime; SSM still knows the instance, whose agent answers when it has booted."""
    was_running = instance.state == "running"
    previous: InstanceState = _moto_start(instance)
    if not was_running:
        instance.launch_time, instance.restarted = utcnow(), True
    return previous


def _reboot_instance(instance: Any) -> None:
    """Its agent begins anew. Left out: the minute in which it doesn't answer."""
    _moto_reboot(instance)
    instance.agent_began_anew = True


def _send_command(cloud: Cloud, request: Any) -> Answer:
    parameters = request._get_param("Parameters", {})
    _check_document(request._get_param("DocumentName"), parameters)
    targets = request._get_param("Targets", [])
    known = nodes(cloud, request.current_account, request.region)
    timeout = int(request._get_param("TimeoutSeconds", DELIVERY_TIMEOUT))
    now = cloud.pace.monotonic()
    command = Command(
        command_id=str(uuid.uuid4()),
        document_name=DOCUMENT,
        comment=request._get_param("Comment", ""),
        parameters=parameters,
        targets=targets,
        timeout_seconds=timeout,
        requested=cloud.pace.now(),
        visible=now + cloud.pace.scaled(CONSISTENT_AFTER),
        expires=now + cloud.pace.scaled(timeout),
        invocations={
            instance_id: Invocation(instance_id)
            for instance_id in _reached(known, request._get_param("InstanceIds", []), targets)
        },
    )
    commands(request.current_account, request.region).append(command)
    return {"Command": _described(command)}


def _check_document(name: str, parameters: dict[str, list[str]]) -> None:
    if name != DOCUMENT:
        raise SSMException("InvalidDocument", f"the local cloud has no document {name}, only {DOCUMENT}")
    if unknown := set(parameters) - PARAMETERS:
        raise SSMException("InvalidParameters", f"{DOCUMENT} has no parameters {', '.join(sorted(unknown))}")
    if not parameters.get("commands"):
        raise SSMException("InvalidParameters", "the parameter commands is required")
    if not EXECUTION_TIMEOUT.fullmatch(parameters.get("executionTimeout", ["3600"])[0]):
        raise SSMException("InvalidParameters", "executionTimeout must be 1 to 172800 seconds")


def _reached(known: dict[str, Node], instance_ids: list[str], targets: list[Answer]) -> list[str]:
    """The instances a command goes to. One that is named must answer; of those that targets match, all that answer."""
    online = [node for node in known.values() if node.ping == "Online"]
    missing = set(instance_ids) - {node.instance_id for node in online}
    if missing:
        raise SSMException("InvalidInstanceId", f"Instances [[{', '.join(sorted(missing))}]] not in a valid state")
    if not instance_ids and not targets:
        raise SSMException("InvalidInstanceId", "name instances or targets")
    matched = [node.instance_id for node in online if targets and all(_matches(node, target) for target in targets)]
    return list(dict.fromkeys([*instance_ids, *matched]))


def _matches(node: Node, target: Answer) -> bool:
    key, values = target["Key"], target["Values"]
    if key.lower() == "instanceids":
        return node.instance_id in values
    return key.startswith("tag:") and any(name == key[4:] and value in values for name, value in node.tags)


def _described(command: Command) -> Answer:
    invocations = list(command.invocations.values())
    return {
        "CommandId": command.command_id,
        "Comment": command.comment,
        "CompletedCount": sum(invocation.outcome is not None for invocation in invocations),
        "DeliveryTimedOutCount": sum(invocation.details == "DeliveryTimedOut" for invocation in invocations),
        "DocumentName": command.document_name,
        "ErrorCount": sum(invocation.status in {"Failed", "TimedOut"} for invocation in invocations),
        "ExpiresAfter": command.requested + timedelta(seconds=command.timeout_seconds),
        "InstanceIds": list(command.invocations),
        "Parameters": command.parameters,
        "RequestedDateTime": command.requested,
        "Status": command.status,
        "StatusDetails": command.status if invocations else "NoInstancesInTag",
        "TargetCount": len(invocations),
        "Targets": command.targets,
        "TimeoutSeconds": command.timeout_seconds,
    }


def _find(request: Any, command_id: str) -> Command:
    for command in commands(request.current_account, request.region):
        if command.command_id == command_id:
            return command
    raise SSMException("InvalidCommandId", "the command does not exist")


def _get_command_invocation(cloud: Cloud, request: Any) -> Answer:
    wanted = request._get_param("CommandId")
    known = {command.command_id: command for command in commands(request.current_account, request.region)}
    command = known.get(wanted)
    invocation = command.invocations.get(request._get_param("InstanceId")) if command else None
    if command is None or invocation is None or cloud.pace.monotonic() < command.visible:
        raise SSMException("InvocationDoesNotExist", "")
    if request._get_param("PluginName", PLUGIN) != PLUGIN:
        raise SSMException("InvalidPluginName", "")
    outcome = invocation.outcome
    return {
        "CommandId": command.command_id,
        "InstanceId": invocation.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document_name,
        "DocumentVersion": "$DEFAULT",
        "PluginName": PLUGIN,
        "ResponseCode": outcome.response_code if outcome else NEVER_RAN,
        "ExecutionStartDateTime": invocation.started.isoformat() if invocation.started else "",
        "ExecutionElapsedTime": _elapsed(invocation),
        "ExecutionEndDateTime": invocation.finished.isoformat() if invocation.started and invocation.finished else "",
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputContent": outcome.stdout if outcome else "",
        "StandardOutputUrl": "",
        "StandardErrorContent": outcome.stderr if outcome else "",
        "StandardErrorUrl": "",
    }


def _elapsed(invocation: Invocation) -> str:
    if not invocation.started or not invocation.finished:
        return ""
    return f"PT{(invocation.finished - invocation.started).total_seconds():.3f}S"


def _selected(request: Any) -> list[Command]:
    """The commands a list call is about, newest first."""
    command_id, instance_id = request._get_param("CommandId"), request._get_param("InstanceId")
    found = [_find(request, command_id)] if command_id else commands(request.current_account, request.region)[::-1]
    wanted = {each["key"]: each["value"] for each in request._get_param("Filters", [])}
    return [
        command
        for command in found
        if instance_id in (None, *command.invocations)
        and command.document_name == wanted.get("DocumentName", command.document_name)
        and command.status == wanted.get("Status", command.status)
    ]


def _list_commands(_cloud: Cloud, request: Any) -> Answer:
    return {"Commands": [_described(command) for command in _selected(request)]}


def _list_command_invocations(_cloud: Cloud, request: Any) -> Answer:
    only, details = request._get_param("InstanceId"), bool(request._get_param("Details", False))
    listed = [
        {
            "CommandId": command.command_id,
            "InstanceId": invocation.instance_id,
            "Comment": command.comment,
            "DocumentName": command.document_name,
            "RequestedDateTime": command.requested,
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "CommandPlugins": [_plugin(invocation)] if details else [],
        }
        for command in _selected(request)
        for invocation in command.invocations.values()
        if only in (None, invocation.instance_id)
    ]
    return {"CommandInvocations": listed}


def _plugin(invocation: Invocation) -> Answer:
    outcome = invocation.outcome
    said = f"{outcome.stdout}\n----------ERROR-------\n{outcome.stderr}" if outcome and outcome.stderr else ""
    return {
        "Name": PLUGIN,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "ResponseCode": outcome.response_code if outcome else NEVER_RAN,
        "ResponseStartDateTime": invocation.started,
        "ResponseFinishDateTime": invocation.finished,
        "Output": (said or (outcome.stdout if outcome else ""))[:OUTPUT_KEPT],
    }


def _cancel_command(cloud: Cloud, request: Any) -> Answer:
    command = _find(request, request._get_param("CommandId"))
    for instance_id in request._get_param("InstanceIds", []) or list(command.invocations):
        if instance_id not in command.invocations:
            raise SSMException("InvalidInstanceId", instance_id)
        command.invocations[instance_id].cancel(cloud.pace.now())
    return {}


def _describe_instance_information(cloud: Cloud, request: Any) -> Answer:
    given = [(each["Key"], each["Values"]) for each in request._get_param("Filters", [])]
    given += [(each["key"], each["valueSet"]) for each in request._get_param("InstanceInformationFilterList", [])]
    found = list(nodes(cloud, request.current_account, request.region).values())
    for key, values in given:
        found = [node for node in found if _filtered(node, key, values)]
    return {"InstanceInformationList": [_information(cloud, node) for node in found]}


def _filtered(node: Node, key: str, values: list[str]) -> bool:
    if key == "PingStatus":
        return node.ping in values
    if key == "InstanceIds":
        return node.instance_id in values
    if key.startswith("tag:"):
        return _matches(node, {"Key": key, "Values": values})
    raise SSMException("InvalidFilterKey", f"the local cloud knows InstanceIds, PingStatus and tag:…, not {key}")


def _information(cloud: Cloud, node: Node) -> Answer:
    return {
        "InstanceId": node.instance_id,
        "PingStatus": node.ping,
        "LastPingDateTime": cloud.pace.now() if node.ping == "Online" else node.registered,
        "AgentVersion": AGENT_VERSION,
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "IPAddress": node.private_ip,
        "ComputerName": f"ip-{node.private_ip.replace('.', '-')}.ec2.internal",
        "RegistrationDate": node.registered,
    }
