"""SSM: whether an instance's agent answers, and running a script there.

What is sent stays readable in the command history: never a secret in a script. The script has the instance fetch it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential
from tenacity.wait import wait_base

from orchestrator.aws import batches
from orchestrator.aws.pages import items
from orchestrator.aws.resends import failure_of
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.engine.subjects import ABOUT_US, Attempts, attempt, both
from orchestrator.errors import Invalid, OrchestratorError, Problem, TimedOut, Transient, Unheard

ONLINE = "Online"
PREAMBLE = "#!/bin/bash\nset -euo pipefail\n"
"""Success means exit code 0 of the whole; without the first line the instance's /bin/sh would run it."""
DELIVERY = 60
"""Seconds in which the agent must fetch the command (TimeoutSeconds, at least 30)."""
REPORTING = 30.0
"""Seconds more until the result must have been seen."""
POLLING: wait_base = wait_exponential(multiplier=0.5, exp_base=1.4, max=3.0)
"""Seconds between two looks at a command: 0.5, 0.7, 1.0 … 3."""
LONGEST_SCRIPT = 60_000
"""Bytes as JSON has them; a document with its parameters may have 64 KB (MaxDocumentSizeExceeded)."""
LONGEST_COMMENT = 100
"""Characters of a command's comment (SendCommand's documentation)."""
LOOKS = 5
"""How often a command is looked for whose answer was lost: SSM's lists are eventually consistent."""
SHOWN = 2_400
"""Characters of output that ListCommandInvocations surely shows whole: it cuts at 2,500 (CommandPlugin's Output)."""
_STDERR = "----------ERROR-------"
"""What it puts between stdout and stderr."""
_UNFINISHED = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
_UNDELIVERED = frozenset({"DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied"})
_AGENT_TRAILER = "failed to run commands:"


@dataclass(frozen=True, slots=True)
class Ping:
    """What SSM knows of an instance. `status` is Online, ConnectionLost or Inactive; None: it never registered."""

    status: str | None
    agent_version: str = ""
    last_ping: datetime | None = None

    @property
    def online(self) -> bool:
        """Whether commands are accepted."""
        return self.status == ONLINE


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """A finished command. SSM keeps the first 24,000 characters of `stdout` and 8,000 of `stderr`."""

    stdout: str
    stderr: str
    exit_code: int
    status: str
    command_id: str


class ScriptFailed(OrchestratorError):
    """The script ran and did not end with 0."""

    def __init__(self, problem: Problem, output: CommandOutput) -> None:
        super().__init__(problem)
        self.output = output


class NotRegistered(Transient):
    """SSM takes no command for the instance; of several it refuses them all for one."""


class Ssm:
    """Run Command through a boto3 `ssm` client. `sleep` waits seconds, `monotonic` counts them.

    `mark` draws what tells one command from all others: by it a command is found whose answer to SendCommand was lost.
    Without marks such a command is not looked for.
    """

    def __init__(
        self,
        client: Any,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        polling: wait_base = POLLING,
        mark: Callable[[], str] = str,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._monotonic = monotonic
        self._polling = polling
        self._mark = mark

    def ping(self, instance_id: str) -> Ping:
        """Whether the instance's agent answers now."""
        return self.pings([instance_id]).get(instance_id, Ping(None))

    def pings(self, instance_ids: Sequence[str]) -> Mapping[str, Ping]:
        """Of several instances; those SSM never heard of are absent."""
        asked = {"Filters": [{"Key": "InstanceIds", "Values": sorted(set(instance_ids))}]}
        operation, unknown = "describe_instance_information", frozenset({"InvalidInstanceId"})
        with translated("ssm:DescribeInstanceInformation"):
            found = list(items(self._client, operation, "InstanceInformationList", gone=unknown, **asked))
        return {
            known["InstanceId"]: Ping(known["PingStatus"], known.get("AgentVersion", ""), known.get("LastPingDateTime"))
            for known in found
        }

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        """Run `script` under bash (-euo pipefail) within `timeout` seconds and wait for its end.

        Raises `ScriptFailed`, `TimedOut` (script-timed-out), and `Transient` when the agent can't be reached
        (runner-not-registered, runner-offline) or AWS doesn't answer.
        """
        command_id = self._send([instance_id], script, comment, timeout)
        deadline = self._monotonic() + DELIVERY + timeout + REPORTING
        return self._end_of(command_id, instance_id, deadline, timeout)

    def run_on(
        self, instance_ids: Sequence[str], script: str, *, comment: str, timeout: int
    ) -> Attempts[CommandOutput]:
        """The same on several instances, with one command for as many as SSM takes; a failure is its instance's.

        What is about us (credentials, settings) is raised.
        """
        found: Attempts[CommandOutput] = Attempts()
        for some in batches.of("send_command", "InstanceIds", dict.fromkeys(instance_ids)):
            found = both(found, self._on_some(some, script, comment, timeout))
        return found

    def _on_some(self, some: Sequence[str], script: str, comment: str, timeout: int) -> Attempts[CommandOutput]:
        if len(some) == 1:
            return attempt(some, lambda one: self.run(one, script, comment=comment, timeout=timeout))
        try:
            command_id = self._send(some, script, comment, timeout)
        except NotRegistered:
            half = len(some) // 2
            one, other = (self._on_some(part, script, comment, timeout) for part in (some[:half], some[half:]))
            return both(one, other)
        except ABOUT_US:
            raise
        except OrchestratorError as error:
            return Attempts({}, dict.fromkeys(some, error))
        deadline = self._monotonic() + DELIVERY + timeout + REPORTING
        ended = self._ended(command_id, len(some), deadline)

        def end(one: str) -> CommandOutput:
            shown = ended.get(one)
            if shown is not None and (output := _shown_whole(shown)) is not None:
                return output
            return self._end_of(command_id, one, deadline, timeout)

        return attempt(some, end)

    def _end_of(self, command_id: str, instance_id: str, deadline: float, timeout: int) -> CommandOutput:
        """What came of it on one instance, at the deadline at last."""
        answer = self._finished(command_id, instance_id, deadline)
        if answer is None:
            self._give_up(command_id, instance_id)
            message = f"command {command_id} had no result {DELIVERY + timeout + REPORTING:.0f} s after it was sent"
            raise TimedOut(Problem("script-timed-out", message, instance_id, _look(command_id, instance_id)))
        return _judged(answer, instance_id, timeout)

    def start_session(self, instance_id: str) -> Mapping[str, str]:
        """Open a session with the instance: `SessionId`, `StreamUrl`, and `TokenValue`, which is a secret."""
        try:
            answer = self._client.start_session(Target=instance_id)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "TargetNotConnected":
                fix = "`orchestrate doctor` says whether the instance runs and its agent answers"
                problem = Problem("session-not-connected", "its agent does not answer", instance_id, fix)
                raise OrchestratorError(problem) from None
            raise problem_of(error, "ssm:StartSession") from None
        return {name: str(answer[name]) for name in ("SessionId", "TokenValue", "StreamUrl")}

    def end_session(self, session_id: str) -> None:
        """Nobody will use it. That this may fail is no news: it ends by itself after a while."""
        try:
            self._client.terminate_session(SessionId=session_id)
        except (ClientError, BotoCoreError):
            return

    @property
    def endpoint(self) -> str:
        """Where SSM is asked."""
        return str(self._client.meta.endpoint_url)

    def _send(self, instance_ids: Sequence[str], script: str, comment: str, timeout: int) -> str:
        text = PREAMBLE + script
        size = len(json.dumps(text))
        if size > LONGEST_SCRIPT:
            message = f"the script has {size} bytes; SSM accepts at most {LONGEST_SCRIPT}"
            raise Invalid(Problem("script-too-long", message, comment, "do it in several parts"))
        mark = self._mark()
        name = f"{comment[: LONGEST_COMMENT - len(mark) - 3]} [{mark}]" if mark else comment[:LONGEST_COMMENT]
        # By default SSM sends a command to no further instance once it failed on one.
        alone: Mapping[str, Any] = {"MaxErrors": "100%"} if len(instance_ids) > 1 else {}
        try:
            with batches.batched():
                answer = self._client.send_command(
                    InstanceIds=list(instance_ids),
                    DocumentName="AWS-RunShellScript",
                    Comment=name,
                    TimeoutSeconds=DELIVERY,
                    Parameters={"commands": [text], "executionTimeout": [str(timeout)]},
                    **alone,
                )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "InvalidInstanceId":
                raise _not_registered(instance_ids[0]) from None
            failure = failure_of(error, "ssm:SendCommand")
            if mark and isinstance(failure, Unheard) and (arrived := self._arrived(instance_ids[0], name)):
                return arrived
            raise failure from None
        return str(answer["Command"]["CommandId"])

    def _arrived(self, instance_id: str, name: str) -> str | None:
        """The command of this name on the instance, if SSM comes to know it; None: it can't be seen."""

        def listed() -> str | None:
            try:
                for one in items(self._client, "list_commands", "Commands", InstanceId=instance_id):
                    if one.get("Comment") == name:
                        return str(one["CommandId"])
            except (ClientError, BotoCoreError):
                return None  # what is reported then is that SendCommand had no answer
            return None

        looks = Retrying(
            retry=retry_if_result(lambda found: found is None),
            wait=self._polling,
            stop=stop_after_attempt(LOOKS),
            sleep=self._sleep,
            retry_error_callback=lambda _state: None,
        )
        return looks(listed)

    def _ended(self, command_id: str, number: int, deadline: float) -> Mapping[str, dict[str, Any]]:
        """The invocations that ended, by instance, once all `number` did, or at the deadline. Asked for in one list."""
        ended: dict[str, dict[str, Any]] = {}

        def all_ended() -> bool | None:
            asked: dict[str, Any] = {"CommandId": command_id, "Details": True}
            try:
                for one in items(self._client, "list_command_invocations", "CommandInvocations", **asked):
                    if one["Status"] not in _UNFINISHED:
                        ended[one["InstanceId"]] = one
            except (ClientError, BotoCoreError) as error:
                if not isinstance(problem_of(error, "ssm:ListCommandInvocations"), Transient):
                    return False  # each instance is asked for by itself, which says what is wrong
                return None
            return len(ended) >= number or None

        self._polls(deadline)(all_ended)
        return ended

    def _finished(self, command_id: str, instance_id: str, deadline: float) -> dict[str, Any] | None:
        """The invocation once it ended; None: it did not until the deadline."""
        found: dict[str, Any] | None = self._polls(deadline)(self._result, command_id, instance_id)
        return found

    def _polls(self, deadline: float) -> Retrying:
        """Looks until one gives something else than None, which the last one may give as well."""

        def passed(_state: RetryCallState) -> bool:
            return self._monotonic() >= deadline

        return Retrying(
            retry=retry_if_result(lambda answer: answer is None),
            wait=self._polling,
            stop=passed,
            sleep=self._sleep,
            retry_error_callback=lambda _state: None,
        )

    def _result(self, command_id: str, instance_id: str) -> dict[str, Any] | None:
        """The invocation when it ended, else None. Right after SendCommand SSM may not know it yet."""
        try:
            answer = self._client.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "InvocationDoesNotExist":
                return None
            translated = problem_of(error, "ssm:GetCommandInvocation")
            if isinstance(translated, Transient):
                return None  # the command runs on: losing sight of it for a moment must not send it again
            raise translated from None
        return None if answer["Status"] in _UNFINISHED else dict(answer)

    def _give_up(self, command_id: str, instance_id: str) -> None:
        """Ask for the command's end. That it may fail is no news: we already report that SSM does not answer."""
        try:
            self._client.cancel_command(CommandId=command_id, InstanceIds=[instance_id])
        except (ClientError, BotoCoreError):
            return


def _shown_whole(invocation: Mapping[str, Any]) -> CommandOutput | None:
    """What a list shows of a script that ended well and said little; None: it has to be asked for by itself."""
    plugins = invocation.get("CommandPlugins") or [{}]
    said = str(plugins[0].get("Output", ""))
    if invocation["Status"] != "Success" or len(said) > SHOWN or _STDERR in said:
        return None
    return CommandOutput(said, "", plugins[0].get("ResponseCode", 0), "Success", invocation["CommandId"])


def _judged(answer: dict[str, Any], instance_id: str, timeout: int) -> CommandOutput:
    output = CommandOutput(
        stdout=answer.get("StandardOutputContent", ""),
        stderr=_without_trailer(answer.get("StandardErrorContent", "")),
        exit_code=answer.get("ResponseCode", -1),
        status=answer["Status"],
        command_id=answer["CommandId"],
    )
    details = answer.get("StatusDetails", "").replace(" ", "")
    fix = _look(output.command_id, instance_id)
    if output.status == "Success":
        return output
    if details in _UNDELIVERED:
        message = f"command {output.command_id} was not delivered ({details})"
        raise Transient(Problem("runner-offline", message, instance_id, "check whether the instance's SSM agent runs"))
    if output.status == "TimedOut":
        message = f"the script was stopped after {timeout} s{_last_lines(output.stderr)}"
        raise TimedOut(Problem("script-timed-out", message, instance_id, fix))
    if output.status == "Cancelled":
        message = f"command {output.command_id} was cancelled by someone else"
        raise ScriptFailed(Problem("script-cancelled", message, instance_id, "run again"), output)
    message = f"the script ended with exit status {output.exit_code}{_last_lines(output.stderr)}"
    raise ScriptFailed(Problem("script-failed", message, instance_id, fix), output)


def _not_registered(instance_id: str) -> NotRegistered:
    return NotRegistered(
        Problem(
            "runner-not-registered",
            "SSM does not accept commands for the instance: not registered, agent down, or no permission",
            instance_id,
            "wait until its PingStatus is Online; its role needs AmazonSSMManagedInstanceCore",
        )
    )


def _look(command_id: str, instance_id: str) -> str:
    return f"aws ssm get-command-invocation --command-id {command_id} --instance-id {instance_id}"


def _without_trailer(stderr: str) -> str:
    """The agent ends the stderr of a failed script with a line of its own, sometimes without a line feed before it."""
    before, found, after = stderr.rpartition(_AGENT_TRAILER)
    return before if found and "\n" not in after.strip() else stderr


def _last_lines(stderr: str, lines: int = 5, width: int = 300) -> str:
    kept = [line[:width] for line in stderr.splitlines() if line.strip()][-lines:]
    return ": " + "\n".join(kept) if kept else ""
