"""A cloud in this process with SSM only: moto, its corrections of SSM, the agents."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import trustme

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.endpoint import server
from orchestrator.local.ssm import agent
from orchestrator.local.ssm import moto as correction
from orchestrator.local.ssm import moto_sessions as sessions
from tests.waiting import CLOSELY, until

REGION = "us-west-2"
FINAL = {"Success", "Failed", "TimedOut", "Cancelled"}
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


@dataclass
class World:
    """The cloud, and what an operator does to it."""

    cloud: Cloud
    stop_agents: Callable[[], None]
    log: list[str]
    clients: dict[str, Any] = field(default_factory=dict)
    image: str = ""

    def client(self, service: str) -> Any:
        if service not in self.clients:
            session = boto3.Session(region_name=REGION, aws_access_key_id="operator", aws_secret_access_key="operator")
            made: Any = session.client(service, endpoint_url=self.cloud.endpoint)  # type: ignore[call-overload]
            self.clients[service] = made
        return self.clients[service]

    @property
    def ssm(self) -> Any:
        return self.client("ssm")

    def profile(self, name: str, *, managed: str | None = CORE, inline: dict[str, Any] | None = None) -> str:
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        if managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=managed)
        if inline:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(inline))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name

    def launch(self, profile: str | None = None, tag: str = "onyx-prod-vespa", user_data: str = "") -> str:
        ec2 = self.client("ec2")
        self.image = self.image or ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        given: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": tag}]}]
        answer = ec2.run_instances(
            ImageId=self.image, MinCount=1, MaxCount=1, TagSpecifications=tags, UserData=user_data, **given
        )
        return str(answer["Instances"][0]["InstanceId"])

    def ping(self, instance_id: str) -> str | None:
        filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
        found = self.ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
        return str(found[0]["PingStatus"]) if found else None

    def online(self, instance_id: str) -> str:
        until("its agent is online", lambda: self.ping(instance_id) == "Online")
        return instance_id

    def send(self, instance_id: str, script: str, **parameters: str) -> str:
        answer = self.ssm.send_command(
            InstanceIds=[instance_id],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": [script], **{name: [value] for name, value in parameters.items()}},
        )
        return str(answer["Command"]["CommandId"])

    def invocation(self, command_id: str) -> dict[str, Any]:
        """What ListCommandInvocations shows: unlike GetCommandInvocation it knows the command at once."""
        answer = self.ssm.list_command_invocations(CommandId=command_id, Details=True)
        found: dict[str, Any] = answer["CommandInvocations"][0]
        return found

    def restart_agents(self) -> None:
        self.stop_agents()
        self.stop_agents = agent.start(self.cloud)

    def until(self, true: Callable[[], bool]) -> None:
        until("the condition of the test", true, often=CLOSELY)

    def finished(self, command_id: str) -> dict[str, Any]:
        until("the command ends", lambda: self.invocation(command_id)["Status"] in FINAL)
        return self.shown(command_id)

    def shown(self, command_id: str) -> dict[str, Any]:
        """GetCommandInvocation, once it knows the command."""
        on = self.invocation(command_id)["InstanceId"]
        until("the invocation is visible", lambda: self._visible(command_id, on))
        answer: dict[str, Any] = self.ssm.get_command_invocation(CommandId=command_id, InstanceId=on)
        return answer

    def _visible(self, command_id: str, instance_id: str) -> bool:
        try:
            self.ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        except self.ssm.exceptions.InvocationDoesNotExist:
            return False
        return True

    def ran(self, instance_id: str, script: str, **parameters: str) -> dict[str, Any]:
        return self.finished(self.send(instance_id, script, **parameters))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One cloud for all tests of a file: moto takes seconds to set up its EC2 and IAM, and other files reset it."""
    log: list[str] = []
    authority = trustme.CA()
    cloud = Cloud(
        directory=tmp_path_factory.mktemp("cloud"), pace=Pace(300), ca=authority, faults=Faults(), log=log.append
    )
    authority.cert_pem.write_to_path(cloud.ca_file)
    correction.install(cloud)
    sessions.install(cloud)
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        stack.callback(server.serve(cloud, 0))
        urllib.request.urlopen(urllib.request.Request(f"{cloud.endpoint}/moto-api/reset", method="POST")).close()
        world = World(cloud, agent.start(cloud), log)
        yield world
        world.stop_agents()


@pytest.fixture(scope="module")
def runner(world: World) -> str:
    """An instance whose agent answers."""
    return world.online(world.launch(world.profile("runner")))
