"""EC2: whether instances are there and running, and starting and stopping them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws import batches
from orchestrator.aws.pages import items
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.errors import OrchestratorError, Problem, Transient

_MEANT = frozenset(
    {
        "Client.InstanceInitiatedShutdown",
        "Client.UserInitiatedHibernate",
        "Client.UserInitiatedShutdown",
        "Server.ScheduledStop",
    }
)
"""Reasons of a stop that somebody, or AWS's announced maintenance, asked for."""
START_ALLOWED = (
    "if its volumes are encrypted with a KMS key of your own: the identity that starts it needs kms:CreateGrant on "
    "that key (`orchestrate policy resume --kms-key ARN` shows the statement), and the key must be enabled; then start "
    "it again"
)
"""What to do when EC2 stops an instance that it was told to start: the usual reason."""
_NO_CAPACITY = frozenset({"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity"})


class NoCapacity(OrchestratorError):
    """AWS has no room for an instance of this type where it must run. It may have, later."""


def failure_of(raw: Mapping[str, Any]) -> str:
    """Why EC2 could not start an instance, of DescribeInstances' answer; empty: it runs, or was meant to stop."""
    reason = raw.get("StateReason", {})
    meant = not reason.get("Code") or reason["Code"] in _MEANT
    return "" if meant or raw["State"]["Name"] != "stopped" else str(reason.get("Message") or reason["Code"])


def not_startable(instance: str, why: str) -> Problem:
    """EC2 could not start it, and says so only afterwards."""
    message = f"EC2 began to start {instance} and stopped it again: {why}"
    return Problem("instance-not-startable", message, instance, START_ALLOWED)


class Ec2:
    """Instances through a boto3 `ec2` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def state(self, instance_id: str) -> str:
        """EC2's word (pending, running, stopped, terminated …); empty: there is no such instance."""
        try:
            found = list(items(self._client, "describe_instances", "Reservations", InstanceIds=[instance_id]))
        except (ClientError, BotoCoreError) as error:
            if code_of(error).startswith("InvalidInstanceID"):
                return ""
            raise problem_of(error, "ec2:DescribeInstances") from None
        instances = [one for reservation in found for one in reservation["Instances"]]
        return str(instances[0]["State"]["Name"]) if instances else ""

    def user_data(self, instance_id: str) -> str:
        """The script it was launched with; empty: none, or no text (compressed, several parts)."""
        try:
            answer = self._client.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
        except (ClientError, BotoCoreError) as error:
            if code_of(error).startswith("InvalidInstanceID"):
                return ""
            raise problem_of(error, "ec2:DescribeInstanceAttribute") from None
        try:
            return base64.b64decode(answer.get("UserData", {}).get("Value", "")).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""

    def states(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Of those that exist: by filter, since one unknown id would refuse the whole call."""
        filters = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeInstances"):
            found = list(items(self._client, "describe_instances", "Reservations", Filters=filters))
        return {one["InstanceId"]: one["State"]["Name"] for reservation in found for one in reservation["Instances"]}

    def failures(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Of those that EC2 could not start and has stopped again: why, in its words."""
        filters = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeInstances"):
            reservations = list(items(self._client, "describe_instances", "Reservations", Filters=filters))
        found = (one for reservation in reservations for one in reservation["Instances"])
        return {one["InstanceId"]: why for one in found if (why := failure_of(one))}

    def tags(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Of those that exist."""
        filters = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeInstances"):
            reservations = list(items(self._client, "describe_instances", "Reservations", Filters=filters))
        found = (one for reservation in reservations for one in reservation["Instances"])
        return {one["InstanceId"]: {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())} for one in found}

    def stop(self, ids: Sequence[str]) -> None:
        """Begin to stop them: their volumes stay."""
        with translated("ec2:StopInstances"):
            for _ in batches.answers(self._client, "stop_instances", InstanceIds=list(ids)):
                pass

    def start(self, instance_id: str) -> None:
        """Begin to start one: of several, one without capacity would refuse all. Raises `NoCapacity`."""
        try:
            self._client.start_instances(InstanceIds=[instance_id])
        except (ClientError, BotoCoreError) as error:
            raise _refusal(error, instance_id) from None


def _refusal(error: Exception, instance_id: str) -> OrchestratorError:
    code = code_of(error)
    if code in _NO_CAPACITY:
        fix = "try again later, or give it another instance_type in Terraform (its data volume stays in its zone)"
        return NoCapacity(Problem("instance-no-capacity", f"AWS has no capacity for it: {error}", instance_id, fix))
    if code == "IncorrectInstanceState":
        return Transient(Problem("instance-busy", f"EC2 refuses for now: {error}", instance_id, "wait"))
    return problem_of(error, "ec2:StartInstances")
