"""CloudWatch Logs: the last lines a container wrote."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of


class Logs:
    """Reads log streams through a boto3 `logs` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has(self, group: str) -> bool:
        """Whether there is a log group of exactly this name."""
        try:
            answer = self._client.describe_log_groups(logGroupNamePrefix=group)
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "logs:DescribeLogGroups") from None
        return any(one["logGroupName"] == group for one in answer["logGroups"])

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        """The stream's newest lines, oldest first. Empty when the group or the stream does not exist (yet)."""
        try:
            answer = self._client.get_log_events(
                logGroupName=group, logStreamName=stream, limit=lines, startFromHead=False
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                return ()
            raise problem_of(error, "logs:GetLogEvents") from None
        return tuple(str(event["message"]) for event in answer["events"])
