"""How answers of SSM become outputs and problems: a real client, its answers by botocore's Stubber."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from orchestrator.aws.ssm import DELIVERY, LONGEST_SCRIPT, REPORTING, Ping, ScriptFailed, Ssm
from orchestrator.errors import Invalid, OrchestratorError, Outcome, Transient

INSTANCE = "i-0123456789abcdef0"
COMMAND = "11111111-2222-3333-4444-555555555555"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return sum(self.slept)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.client("ssm", region_name="us-west-2", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def ssm(stub: Stubber, time: Time) -> Ssm:
    return Ssm(stub.client, sleep=time.sleep, monotonic=time.monotonic)


def sent(stub: Stubber) -> None:
    expected = {
        "InstanceIds": [INSTANCE],
        "DocumentName": "AWS-RunShellScript",
        "Comment": "why",
        "TimeoutSeconds": DELIVERY,
        "Parameters": {
            "commands": ["#!/bin/bash\nset -euo pipefail\necho hello"],
            "executionTimeout": ["120"],
        },
    }
    stub.add_response("send_command", {"Command": {"CommandId": COMMAND}}, expected)


def answered(stub: Stubber, status: str, details: str = "", **more: Any) -> None:
    answer = {"CommandId": COMMAND, "InstanceId": INSTANCE, "Status": status, "StatusDetails": details or status}
    stub.add_response("get_command_invocation", answer | more, {"CommandId": COMMAND, "InstanceId": INSTANCE})


def run(ssm: Ssm) -> Any:
    return ssm.run(INSTANCE, "echo hello", comment="why", timeout=120)


def test_it_polls_until_the_end_quickly_at_first(ssm: Ssm, stub: Stubber, time: Time) -> None:
    sent(stub)
    stub.add_client_error("get_command_invocation", "InvocationDoesNotExist")
    answered(stub, "Pending")
    stub.add_client_error("get_command_invocation", "ThrottlingException")
    answered(stub, "Delayed")
    for _ in range(6):
        answered(stub, "InProgress")
    answered(stub, "Success", StandardOutputContent="hello\n", StandardErrorContent="", ResponseCode=0)
    output = run(ssm)
    assert (output.stdout, output.exit_code, output.command_id) == ("hello\n", 0, COMMAND)
    assert time.slept == sorted(time.slept)
    assert time.slept[0] < 1
    assert time.slept[-1] == 3


@pytest.mark.parametrize(
    ("status", "details", "code", "outcome", "transient"),
    [
        ("Failed", "Failed", "script-failed", Outcome.FAILED, False),
        ("TimedOut", "ExecutionTimedOut", "script-timed-out", Outcome.TIMED_OUT, False),
        ("TimedOut", "Execution Timed Out", "script-timed-out", Outcome.TIMED_OUT, False),
        ("TimedOut", "DeliveryTimedOut", "runner-offline", Outcome.FAILED, True),
        ("TimedOut", "Delivery Timed Out", "runner-offline", Outcome.FAILED, True),
        ("Failed", "Undeliverable", "runner-offline", Outcome.FAILED, True),
        ("Cancelled", "Cancelled", "script-cancelled", Outcome.FAILED, False),
    ],
)
def test_ends_that_are_problems(
    ssm: Ssm, stub: Stubber, status: str, details: str, code: str, outcome: Outcome, transient: bool
) -> None:
    sent(stub)
    answered(stub, status, details, ResponseCode=1)
    with pytest.raises(OrchestratorError) as error:
        run(ssm)
    assert error.value.problems[0].code == code
    assert error.value.problems[0].fix
    assert error.value.outcome is outcome
    assert isinstance(error.value, Transient) is transient


def test_a_failure_shows_the_last_lines_without_the_agent_s_own(ssm: Ssm, stub: Stubber) -> None:
    sent(stub)
    stderr = "".join(f"line {number}\n" for number in range(20)) + "failed to run commands: exit status 2"
    answered(stub, "Failed", ResponseCode=2, StandardErrorContent=stderr)
    with pytest.raises(ScriptFailed) as error:
        run(ssm)
    last = "\n".join(f"line {number}" for number in range(15, 20))
    assert error.value.problems[0].message == f"the script ended with exit status 2: {last}"
    assert error.value.output.exit_code == 2


FLEET = ("i-0a", "i-0b", "i-0c")


def request(*instances: str) -> dict[str, Any]:
    """What is asked of SSM: of several, that it sends to each, however many fail before it."""
    expected = {"InstanceIds": list(instances), "Parameters": ANY}
    expected |= dict.fromkeys(("DocumentName", "Comment", "TimeoutSeconds"), ANY)
    return expected | ({"MaxErrors": "100%"} if len(instances) > 1 else {})


def sent_to(stub: Stubber, *instances: str, command: str = COMMAND) -> None:
    stub.add_response("send_command", {"Command": {"CommandId": command}}, request(*instances))


def refused(stub: Stubber, *instances: str) -> None:
    stub.add_client_error("send_command", "InvalidInstanceId", expected_params=request(*instances))


def listed(stub: Stubber, **ends: tuple[str, str]) -> None:
    """By instance (`a`: i-0a) its status, and what the list shows of its output."""
    found = [
        {
            "CommandId": COMMAND,
            "InstanceId": f"i-0{one}",
            "Status": status,
            "CommandPlugins": [{"Output": said, "ResponseCode": 0 if status == "Success" else 1}],
        }
        for one, (status, said) in ends.items()
    ]
    stub.add_response(
        "list_command_invocations", {"CommandInvocations": found}, {"CommandId": COMMAND, "Details": True}
    )


def asked_by_itself(stub: Stubber, instance: str, status: str, **more: Any) -> None:
    answer = {"CommandId": COMMAND, "InstanceId": instance, "Status": status, "StatusDetails": status}
    stub.add_response("get_command_invocation", answer | more, {"CommandId": COMMAND, "InstanceId": instance})


def run_on(ssm: Ssm, *instances: str) -> Any:
    return ssm.run_on(instances or FLEET, "echo hello", comment="why", timeout=120)


def test_one_command_for_many_and_its_ends_in_one_list(ssm: Ssm, stub: Stubber) -> None:
    """As long as one of them is at work, or not shown yet, the list is asked for again."""
    sent_to(stub, *FLEET)
    listed(stub)
    listed(stub, a=("Success", "one\n"), b=("InProgress", ""))
    listed(stub, a=("Success", "one\n"), b=("Success", "two\n"), c=("Success", "three\n"))
    said = run_on(ssm)
    assert {one: output.stdout for one, output in said.results.items()} == {
        "i-0a": "one\n",
        "i-0b": "two\n",
        "i-0c": "three\n",
    }
    assert not said.failures


@pytest.mark.parametrize("shown", ["x" * 2500, "two\n----------ERROR-------\nwarning: old\n"], ids=["cut", "stderr"])
def test_who_says_more_than_a_list_shows_is_asked_by_itself(ssm: Ssm, stub: Stubber, shown: str) -> None:
    sent_to(stub, *FLEET)
    listed(stub, a=("Success", "one"), b=("Success", shown), c=("Success", "three"))
    asked_by_itself(stub, "i-0b", "Success", StandardOutputContent="all of it", ResponseCode=0)
    assert run_on(ssm).results["i-0b"].stdout == "all of it"


def test_a_failure_belongs_to_its_instance(ssm: Ssm, stub: Stubber) -> None:
    sent_to(stub, *FLEET)
    listed(stub, a=("Success", "one"), b=("Failed", "no"), c=("Undeliverable", ""))
    asked_by_itself(stub, "i-0b", "Failed", ResponseCode=3, StandardErrorContent="no such thing\n")
    asked_by_itself(stub, "i-0c", "Undeliverable")
    said = run_on(ssm)
    assert said.results.keys() == {"i-0a"}
    assert [type(said.failures[one]) for one in FLEET[1:]] == [ScriptFailed, Transient]


def test_one_that_is_not_registered_keeps_no_other_from_its_command(ssm: Ssm, stub: Stubber) -> None:
    """SSM takes a command for all or for none; so it is sent to each half, down to whom the refusal is about."""
    refused(stub, *FLEET)
    refused(stub, "i-0a")
    sent_to(stub, "i-0b", "i-0c")
    listed(stub, b=("Success", "two"), c=("Success", "three"))
    said = run_on(ssm)
    assert said.results.keys() == {"i-0b", "i-0c"}
    assert [error.problems[0].code for error in said.failures.values()] == ["runner-not-registered"]


def test_as_many_at_a_time_as_one_command_takes(ssm: Ssm, stub: Stubber) -> None:
    many = [f"i-{number}" for number in range(51)]
    sent_to(stub, *many[:50])
    done = [{"CommandId": COMMAND, "InstanceId": one, "Status": "Success"} for one in many[:50]]
    stub.add_response("list_command_invocations", {"CommandInvocations": done})
    sent_to(stub, many[50])
    asked_by_itself(stub, many[50], "Success", ResponseCode=0)
    assert len(run_on(ssm, *many).results) == 51


def test_who_never_ends_is_given_up_and_the_others_are_told(ssm: Ssm, stub: Stubber, time: Time) -> None:
    sent_to(stub, *FLEET[:2])
    waits = 0.0
    while waits < DELIVERY + 120 + REPORTING:
        listed(stub, a=("Success", "one"), b=("InProgress", ""))
        waits += min(3.0, 0.5 * 1.4 ** len(time.slept))
        time.slept.append(waits - time.monotonic())
    time.slept.clear()
    asked_by_itself(stub, "i-0b", "InProgress")
    stub.add_response("cancel_command", {}, {"CommandId": COMMAND, "InstanceIds": ["i-0b"]})
    said = run_on(ssm, *FLEET[:2])
    assert said.results.keys() == {"i-0a"}
    assert said.failures["i-0b"].problems[0].code == "script-timed-out"


def test_a_list_that_is_denied_is_no_reason_to_wait(ssm: Ssm, stub: Stubber, time: Time) -> None:
    sent_to(stub, *FLEET[:2])
    stub.add_client_error("list_command_invocations", "AccessDeniedException")
    for one in FLEET[:2]:
        asked_by_itself(stub, one, "Success", StandardOutputContent=one, ResponseCode=0)
    assert run_on(ssm, *FLEET[:2]).results.keys() == set(FLEET[:2])
    assert time.slept == []


@pytest.mark.parametrize(
    ("answer", "code", "transient"),
    [
        ("InvalidInstanceId", "runner-not-registered", True),
        ("ThrottlingException", "throttled", True),
        ("AccessDeniedException", "access-denied", False),
        ("ExpiredTokenException", "credentials-expired", False),
    ],
)
def test_a_refused_command(ssm: Ssm, stub: Stubber, answer: str, code: str, transient: bool) -> None:
    stub.add_client_error("send_command", answer)
    with pytest.raises(OrchestratorError) as error:
        run(ssm)
    assert error.value.problems[0].code == code
    assert isinstance(error.value, Transient) is transient


def test_a_lost_permission_while_polling_is_not_waited_out(ssm: Ssm, stub: Stubber, time: Time) -> None:
    sent(stub)
    stub.add_client_error("get_command_invocation", "AccessDeniedException")
    with pytest.raises(OrchestratorError) as error:
        run(ssm)
    assert error.value.problems[0].code == "access-denied"
    assert time.slept == []


def test_a_command_without_end_is_cancelled(stub: Stubber) -> None:
    instants = iter([0.0, 0.0, 60.0, 119.0 + DELIVERY, 1000.0])
    ssm = Ssm(stub.client, sleep=lambda _: None, monotonic=lambda: next(instants))
    sent(stub)
    for _ in range(4):
        answered(stub, "InProgress")
    stub.add_response("cancel_command", {}, {"CommandId": COMMAND, "InstanceIds": [INSTANCE]})
    with pytest.raises(OrchestratorError) as error:
        run(ssm)
    assert error.value.problems[0].code == "script-timed-out"


def test_a_script_too_long_is_never_sent(ssm: Ssm) -> None:
    with pytest.raises(Invalid) as error:
        ssm.run(INSTANCE, "#" * LONGEST_SCRIPT, comment="why", timeout=60)
    assert error.value.problems[0].code == "script-too-long"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], Ping(None)),
        ([{"InstanceId": INSTANCE, "PingStatus": "Online", "AgentVersion": "3.3"}], Ping("Online", "3.3")),
        ([{"InstanceId": INSTANCE, "PingStatus": "ConnectionLost"}], Ping("ConnectionLost")),
    ],
)
def test_ping(ssm: Ssm, stub: Stubber, listed: list[dict[str, str]], expected: Ping) -> None:
    stub.add_response(
        "describe_instance_information", {"InstanceInformationList": listed}, {"Filters": ANY, "MaxResults": 50}
    )
    assert ssm.ping(INSTANCE) == expected
    assert expected.online is (expected.status == "Online")


def test_ping_of_an_instance_ssm_does_not_know(ssm: Ssm, stub: Stubber) -> None:
    stub.add_client_error("describe_instance_information", "InvalidInstanceId")
    assert ssm.ping(INSTANCE) == Ping(None)
