"""CloudWatch Logs: the last lines a container wrote, and everything that a group holds since a moment."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items, pages
from orchestrator.aws.session import code_of, problem_of
from orchestrator.errors import Invalid, Problem


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of a log group. `stream` is `prefix/container/task` with the awslogs driver."""

    id: str
    at: datetime
    stream: str
    message: str


class Logs:
    """Reads log streams through a boto3 `logs` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has(self, group: str) -> bool:
        """Whether there is a log group of exactly this name."""
        try:
            found = items(self._client, "describe_log_groups", "logGroups", logGroupNamePrefix=group)
            return any(one["logGroupName"] == group for one in found)
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "logs:DescribeLogGroups") from None

    def among(self, groups: Collection[str]) -> frozenset[str]:
        """Those of the log groups that are there.

        Of several, all that begin as they do are listed, 50 to a page, where that takes no more calls than to ask for
        each by itself.
        """
        prefix = os.path.commonprefix(list(groups))  # noqa: RUF071 - of names; they are no paths
        if len(groups) > 1 and prefix:
            try:
                every = pages(self._client, "describe_log_groups", logGroupNamePrefix=prefix)
                shown = list(islice(every, len(groups)))
                whole = next(every, None) is None
            except (ClientError, BotoCoreError) as error:
                raise problem_of(error, "logs:DescribeLogGroups") from None
            if whole:
                return frozenset(one["logGroupName"] for page in shown for one in page["logGroups"]) & set(groups)
        return frozenset(group for group in groups if self.has(group))

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        """The stream's newest lines, oldest first. Empty when the group or the stream does not exist (yet)."""
        try:
            return tuple(self._newest(group, stream, lines))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                return ()
            raise problem_of(error, "logs:GetLogEvents") from None

    def _newest(self, group: str, stream: str, lines: int) -> list[str]:
        """A page may be empty, or hold fewer than asked for: the beginning is where the same token comes back."""
        asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "limit": lines, "startFromHead": False}
        found: list[str] = []
        before = ""
        for page in pages(self._client, "get_log_events", **asked):
            found = [str(event["message"]) for event in page["events"]] + found
            if len(found) >= lines or page.get("nextBackwardToken", "") in ("", before):
                break
            before = page["nextBackwardToken"]
        return found[-lines:]

    def since(self, group: str, start: datetime, pattern: str = "") -> Iterator[LogEvent]:
        """All events since `start` that match CloudWatch's filter `pattern`, page by page; a page may be empty.

        Raises KeyError when there is no such group.
        """
        given: dict[str, Any] = {"logGroupName": group, "startTime": int(start.timestamp() * 1000)}
        if pattern:
            given["filterPattern"] = pattern
        try:
            for event in items(self._client, "filter_log_events", "events", **given):
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield LogEvent(event["eventId"], at, event["logStreamName"], event["message"])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                raise KeyError(group) from None
            if code_of(error) == "InvalidParameterException" and pattern:
                fix = "give plain text, or a CloudWatch Logs pattern such as ?ERROR ?Exception"
                raise Invalid(Problem("grep-invalid", str(error), "--grep", fix)) from None
            raise problem_of(error, "logs:FilterLogEvents") from None
