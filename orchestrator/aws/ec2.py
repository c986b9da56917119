"""EC2: whether an instance is there and running."""

from __future__ import annotations

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
