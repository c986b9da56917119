"""Which instances SSM knows, when they answer, and to which commands may be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local.faults import catalogue
from orchestrator.local.ssm import nodes
from tests.waiting import until

if TYPE_CHECKING:
    from tests.local.ssm.conftest import World

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ssm:Update*"], "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}]}
UNRELATED = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


@pytest.fixture
def offline(world: World) -> Iterator[None]:
    world.cloud.faults.switch_on("runner-offline")
    yield
    world.cloud.faults.switch_off("runner-offline")


def refusal(world: World, instance_id: str) -> str:
    with pytest.raises(ClientError) as error:
        world.send(instance_id, "true")
    return str(error.value.response["Error"]["Code"])


def test_an_agent_comes_online_some_time_after_launch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "AGENT_BOOT", 1e6)
    launched = world.launch(world.profile("late"))
    assert world.ping(launched) is None
    assert refusal(world, launched) == "InvalidInstanceId"
    monkeypatch.undo()
    world.online(launched)
    found = world.ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [launched]}])
    information = found["InstanceInformationList"][0]
    assert information["PlatformType"] == "Linux"
    assert information["AgentVersion"]
    assert information["LastPingDateTime"] >= information["RegistrationDate"]


@pytest.mark.parametrize(
    ("managed", "inline", "registers"),
    [(False, None, False), (False, UNRELATED, False), (False, ALLOW, True), (True, None, True), (True, DENY, False)],
    ids=["no policy", "another policy", "an equivalent policy", "the managed policy", "denied"],
)
def test_registering_needs_permission(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    managed: bool,
    inline: dict[str, Any] | None,
    registers: bool,
) -> None:
    monkeypatch.setattr(nodes, "AGENT_BOOT", 0.0)
    name = request.node.callspec.id.replace(" ", "-")
    core = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" if managed else None
    launched = world.launch(world.profile(name, managed=core, inline=inline))
    assert world.ping(launched) == ("Online" if registers else None)


def test_an_instance_without_profile_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "AGENT_BOOT", 0.0)
    launched = world.launch()
    assert world.ping(launched) is None
    assert refusal(world, launched) == "InvalidInstanceId"
    assert refusal(world, "i-0123456789abcdef0") == "InvalidInstanceId"


def test_stopped_then_started_then_terminated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = world.client("ec2")
    cycled = world.online(world.launch(world.profile("cycled")))
    launched_at = ec2.describe_instances(InstanceIds=[cycled])["Reservations"][0]["Instances"][0]["LaunchTime"]
    ec2.stop_instances(InstanceIds=[cycled])
    assert world.ping(cycled) == "ConnectionLost"
    assert refusal(world, cycled) == "InvalidInstanceId"

    monkeypatch.setattr(nodes, "AGENT_BOOT", 1e6)
    ec2.start_instances(InstanceIds=[cycled])
    assert world.ping(cycled) == "ConnectionLost"
    started_at = ec2.describe_instances(InstanceIds=[cycled])["Reservations"][0]["Instances"][0]["LaunchTime"]
    assert started_at >= launched_at
    monkeypatch.undo()
    world.online(cycled)

    ec2.terminate_instances(InstanceIds=[cycled])
    assert world.ping(cycled) is None


@pytest.mark.usefixtures("offline")
def test_the_fault_runner_offline(world: World, runner: str) -> None:
    assert "runner-offline" in catalogue()
    assert world.ping(runner) == "ConnectionLost"
    assert refusal(world, runner) == "InvalidInstanceId"
    world.cloud.faults.switch_off("runner-offline")
    assert world.ping(runner) == "Online"
    assert world.ran(runner, "true")["Status"] == "Success"


@pytest.mark.usefixtures("offline")
def test_a_reboot_wakes_a_hung_agent(world: World, runner: str) -> None:
    hung = world.launch(world.profile("hung"))
    until("its agent is known, and silent", lambda: world.ping(hung) == "ConnectionLost")
    world.client("ec2").reboot_instances(InstanceIds=[hung])
    until("its agent answers", lambda: world.ping(hung) == "Online")
    assert world.ping(runner) == "ConnectionLost"


def test_a_command_that_no_agent_fetches_times_out(world: World, runner: str) -> None:
    world.stop_agents()
    sent = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "TimeoutSeconds": 30}
    command = world.ssm.send_command(InstanceIds=[runner], **sent)["Command"]["CommandId"]
    world.cloud.faults.switch_on("runner-offline")
    world.restart_agents()
    try:
        lost = world.finished(command)
    finally:
        world.cloud.faults.switch_off("runner-offline")
    assert (lost["Status"], lost["StatusDetails"], lost["ResponseCode"]) == ("TimedOut", "DeliveryTimedOut", -1)


def test_filters(world: World, runner: str) -> None:
    def found(key: str, value: str) -> list[str]:
        answer = world.ssm.describe_instance_information(Filters=[{"Key": key, "Values": [value]}])
        return [one["InstanceId"] for one in answer["InstanceInformationList"]]

    assert runner in found("PingStatus", "Online")
    assert runner not in found("PingStatus", "ConnectionLost")
    assert runner in found("tag:Name", "onyx-prod-vespa")
    assert found("tag:Name", "other") == []
