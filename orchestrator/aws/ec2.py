"""EC2: whether an instance is there and running."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of


class Ec2:
    """Reads instances through a boto3 `ec2` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def state(self, instance_id: str) -> str:
        """EC2's word (pending, running, stopped, terminated …); empty: there is no such instance."""
        try:
            answer = self._client.describe_instances(InstanceIds=[instance_id])
        except (ClientError, BotoCoreError) as error:
            if code_of(error).startswith("InvalidInstanceID"):
                return ""
            raise problem_of(error, "ec2:DescribeInstances") from None
        instances = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
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
