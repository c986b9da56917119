"""Stopping and starting, as AWS does it: what takes time, is refused, acts by itself. Time is in the tests' hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.ec2.models.instances import InstanceBackend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend, rds_backends

from orchestrator.local.core.cloud import ACCOUNT, REGION
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.ec2 import moto_power
from orchestrator.local.ec2.lent_keys import WithheldKeys
from orchestrator.local.ecs import autoscaler, moto_autoscaling
from orchestrator.local.ecs import moto as ecs
from orchestrator.local.iam import moto_tags
from orchestrator.local.rds import moto as rds
from orchestrator.local.rds import moto_snapshots

CORRECTED = {
    InstanceBackend: ("start_instances", "stop_instances"),
    ApplicationAutoscalingBackend: ("register_scalable_target",),
    EC2ContainerServiceBackend: ("delete_service", "list_services", "tag_resource"),
    EC2ContainerServiceResponse: ("create_service", "describe_services", "update_service"),
    DBInstance: ("endpoint",),
    DBParameterGroup: ("update_parameters",),
    RDSBackend: (
        "add_tags_to_resource",
        "create_db_instance",
        "create_db_snapshot",
        "delete_db_instance",
        "delete_db_snapshot",
        "modify_db_instance",
        "reboot_db_instance",
        "restore_db_instance_from_db_snapshot",
        "start_db_instance",
        "stop_db_instance",
    ),
}
LATER = 10**9


@dataclass
class Timeless:
    """What the corrections need of a cloud; what it would do later is done when a test says so."""

    pace: Pace = field(default_factory=Pace)
    faults: Faults = field(default_factory=Faults)
    databases: None = None
    withheld: WithheldKeys = field(default_factory=WithheldKeys)
    to_come: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def shared(self, kind: type) -> WithheldKeys:
        assert kind is WithheldKeys
        return self.withheld

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.to_come.append((seconds, action))

    def pass_by(self, seconds: float) -> None:
        """All that is due within `seconds` happens; what follows from it is for the next time."""
        due = [one for one in self.to_come if one[0] <= seconds]
        self.to_come = [one for one in self.to_come if one[0] > seconds]
        for _, action in due:
            action()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Timeless]:
    """moto in this process, with the corrections about stopping and starting, for one test."""
    for owner, names in CORRECTED.items():
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))
    made = Timeless()
    monkeypatch.setattr(Pace, "sleep", lambda _pace, _seconds: True)
    with mock_aws():
        for correction in (moto_autoscaling, moto_power, ecs, rds, moto_snapshots, moto_tags):
            correction.install(made)
        yield made


@cache
def client(service: str) -> Any:
    session: Any = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    return session.client(service)


def refusal(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def launched() -> dict[str, list[str]]:
    volume = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20}}
    more: dict[str, Any] = {"MinCount": 1, "MaxCount": 1, "BlockDeviceMappings": [volume]}
    made = client("ec2").run_instances(ImageId="ami-12c6146b", InstanceType="t3.large", **more)
    return {"InstanceIds": [made["Instances"][0]["InstanceId"]]}


def described(ids: dict[str, list[str]]) -> Any:
    return client("ec2").describe_instances(**ids)["Reservations"][0]["Instances"][0]


def state(ids: dict[str, list[str]]) -> str:
    return str(described(ids)["State"]["Name"])


def test_an_instance_stops_and_starts_in_its_time_and_keeps_its_volumes(cloud: Timeless) -> None:
    ec2, ids = client("ec2"), launched()
    before = described(ids)
    ec2.stop_instances(**ids)
    assert state(ids) == "stopping"
    assert refusal(ec2.start_instances, **ids) == "IncorrectInstanceState"
    ec2.stop_instances(**ids)
    cloud.pass_by(moto_power.STOP_SECONDS)
    assert state(ids) == "stopped"
    ec2.stop_instances(**ids)
    ec2.start_instances(**ids)
    assert state(ids) == "pending"
    assert refusal(ec2.stop_instances, **ids) == "IncorrectInstanceState"
    cloud.pass_by(moto_power.START_SECONDS)
    assert state(ids) == "running"
    ec2.start_instances(**ids)
    assert state(ids) == "running"
    after = described(ids)
    assert [one["Ebs"]["VolumeId"] for one in after["BlockDeviceMappings"]] == [
        one["Ebs"]["VolumeId"] for one in before["BlockDeviceMappings"]
    ]
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]


def test_without_the_key_of_its_volume_it_stops_again_and_says_so_until_it_runs(cloud: Timeless) -> None:
    ids = launched()
    client("ec2").stop_instances(**ids)
    cloud.pass_by(moto_power.STOP_SECONDS)
    cloud.withheld.instances.add(ids["InstanceIds"][0])
    client("ec2").start_instances(**ids)
    assert state(ids) == "pending"
    cloud.pass_by(moto_power.START_SECONDS)
    assert state(ids) == "stopped"
    assert described(ids)["StateReason"]["Code"] == "Client.InternalError"
    cloud.withheld.instances.clear()
    client("ec2").start_instances(**ids)
    cloud.pass_by(moto_power.START_SECONDS)
    assert (state(ids), described(ids)["StateReason"]["Code"]) == ("running", "")


def test_without_capacity_it_stays_stopped(cloud: Timeless) -> None:
    ec2, ids = client("ec2"), launched()
    ec2.stop_instances(**ids)
    cloud.pass_by(LATER)
    cloud.faults.switch_on("instance-no-capacity")
    assert refusal(ec2.start_instances, **ids) == "InsufficientInstanceCapacity"
    assert state(ids) == "stopped"
    cloud.faults.switch_off("instance-no-capacity")
    ec2.start_instances(**ids)
    cloud.pass_by(LATER)
    assert state(ids) == "running"


TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/scaled/idle",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture
def service(cloud: Timeless) -> str:
    """The ARN of one that wants no task, and may have 2 to 4."""
    made, scaling = client("ecs"), client("application-autoscaling")
    made.create_cluster(clusterName="scaled")
    made.register_task_definition(family="idle", containerDefinitions=[{"name": "idle", "image": "idle", "memory": 64}])
    answer = made.create_service(cluster="scaled", serviceName="idle", taskDefinition="idle", desiredCount=0)["service"]
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    scaling.put_scaling_policy(
        **TARGET,
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 10.0, "PredefinedMetricSpecification": metric},
    )
    return str(answer["serviceArn"])


def alarm(kind: str, value: str) -> None:
    watch = client("cloudwatch")
    (name,) = [one["AlarmName"] for one in watch.describe_alarms()["MetricAlarms"] if kind in one["AlarmName"]]
    watch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="a test")


def counts(looks: int) -> list[int]:
    """The desired count after each look of the autoscaler."""
    seen = []
    for _ in range(looks):
        autoscaler.look()
        seen.append(client("ecs").describe_services(cluster="scaled", services=["idle"])["services"][0]["desiredCount"])
    return seen


@pytest.mark.usefixtures("service")
def test_a_service_at_0_stays_there_only_until_a_policy_fires() -> None:
    scaling = client("application-autoscaling")
    assert counts(2) == [0, 0]
    alarm("AlarmHigh", "ALARM")
    assert counts(4) == [2, 3, 4, 4]
    alarm("AlarmHigh", "OK")
    alarm("AlarmLow", "ALARM")
    assert counts(3) == [3, 2, 2]
    client("ecs").update_service(cluster="scaled", service="idle", desiredCount=0)
    assert counts(1) == [0]
    scaling.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingOutSuspended": True})
    (said,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (said["MinCapacity"], said["MaxCapacity"]) == (2, 4)
    suspended = said["SuspendedState"]
    assert [name for name, is_so in suspended.items() if is_so] == ["DynamicScalingOutSuspended"]
    alarm("AlarmLow", "OK")
    alarm("AlarmHigh", "ALARM")
    assert counts(2) == [0, 0]
    scaling.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingOutSuspended": False})
    assert counts(1) == [2]


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [(1, 0, 2), (1, 2, 3), (1, 4, 4), (3, 3, 4), (1, 9, 9), (-1, 3, 2), (-1, 2, 2), (-1, 0, 0)],
)
def test_what_a_policy_makes_of_a_count(step: int, before: int, after: int) -> None:
    assert autoscaler.capacity_after(step, desired=before, minimum=2, maximum=4) == after


@pytest.mark.usefixtures("service")
def test_a_minimum_above_the_maximum_is_refused() -> None:
    call = client("application-autoscaling").register_scalable_target
    assert refusal(call, **TARGET, MinCapacity=5) == "ValidationException"


@pytest.mark.parametrize("value", ['{"desired": 3}', "a, b", "x" * 257])
def test_a_tag_s_value_is_no_free_text(service: str, value: str) -> None:
    one = {"key": "orchestrate:paused", "value": value}
    assert refusal(client("ecs").tag_resource, resourceArn=service, tags=[one]) == "InvalidParameterException"


DB = {"DBInstanceIdentifier": "db"}


def database() -> Any:
    return client("rds").describe_db_instances(**DB)["DBInstances"][0]


@pytest.fixture
def server(cloud: Timeless) -> Any:
    spec = {"DBInstanceClass": "db.t4g.small", "Engine": "postgres", "AllocatedStorage": 20}
    client("rds").create_db_instance(**DB, **spec, MasterUsername="root", MasterUserPassword="a-stand-in-password")
    cloud.pass_by(LATER)
    return client("rds")


def test_rds_starts_a_stopped_instance_after_seven_days(cloud: Timeless, server: Any) -> None:
    server.stop_db_instance(**DB)
    assert database()["DBInstanceStatus"] == "stopping"
    assert "AutomaticRestartTime" not in database()
    cloud.pass_by(rds.STOP_SECONDS)
    assert database()["DBInstanceStatus"] == "stopped"
    assert (database()["AutomaticRestartTime"] - Pace.now()).days == 6
    cloud.pass_by(rds.STAYS_STOPPED - 1)
    assert database()["DBInstanceStatus"] == "stopped"
    cloud.pass_by(rds.STAYS_STOPPED)
    assert database()["DBInstanceStatus"] == "starting"
    assert "AutomaticRestartTime" not in database()
    cloud.pass_by(rds.START_SECONDS)
    assert database()["DBInstanceStatus"] == "available"


def test_a_week_counts_from_the_last_stop(cloud: Timeless, server: Any) -> None:
    server.stop_db_instance(**DB)
    cloud.pass_by(rds.STOP_SECONDS)
    first = list(cloud.to_come)
    server.start_db_instance(**DB)
    cloud.pass_by(rds.START_SECONDS)
    server.stop_db_instance(**DB)
    cloud.pass_by(rds.STOP_SECONDS)
    for _, restart in first:
        restart()
    assert database()["DBInstanceStatus"] == "stopped"


def test_tags_can_be_set_while_it_is_stopped_and_nothing_else_can(cloud: Timeless, server: Any) -> None:
    before = {one["Key"]: one["Value"] for one in database()["TagList"]}
    server.stop_db_instance(**DB)
    cloud.pass_by(rds.STOP_SECONDS)
    server.add_tags_to_resource(ResourceName=database()["DBInstanceArn"], Tags=[{"Key": "a", "Value": "b"}])
    assert {one["Key"]: one["Value"] for one in database()["TagList"]} == {**before, "a": "b"}
    assert "InvalidDBInstanceState" in refusal(server.modify_db_instance, **DB, AllocatedStorage=30)
    assert "InvalidDBInstanceState" in refusal(server.create_db_snapshot, **DB, DBSnapshotIdentifier="s")
    assert "InvalidDBInstanceState" in refusal(server.stop_db_instance, **DB)


def test_an_instance_with_a_read_replica_is_not_stopped(server: Any) -> None:
    server.create_db_instance_read_replica(DBInstanceIdentifier="db-2", SourceDBInstanceIdentifier="db")
    assert "InvalidDBInstanceState" in refusal(server.stop_db_instance, **DB)


def free_storage() -> float:
    """In GiB, as CloudWatch has it."""
    now = Pace.now()
    span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 60}
    of_it = {"Namespace": "AWS/RDS", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "db"}]}
    seen = client("cloudwatch").get_metric_statistics(
        MetricName="FreeStorageSpace", **of_it, **span, Statistics=["Minimum"]
    )
    return min(float(one["Minimum"]) for one in seen["Datapoints"]) / 2**30


def test_more_storage_is_free_and_a_full_server_runs_again(cloud: Timeless, server: Any) -> None:
    measured = {"MetricName": "FreeStorageSpace", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "db"}]}
    client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[{**measured, "Value": 0.5 * 2**30}])
    rds_backends[ACCOUNT][REGION].databases["db"].status = rds.FULL
    server.modify_db_instance(**DB, BackupRetentionPeriod=3, ApplyImmediately=True)
    cloud.pass_by(LATER)
    assert (database()["DBInstanceStatus"], free_storage()) == (rds.FULL, 0.5)
    server.modify_db_instance(**DB, AllocatedStorage=40, ApplyImmediately=True)
    assert database()["DBInstanceStatus"] == "modifying"
    cloud.pass_by(rds.MODIFY_SECONDS)
    assert (database()["DBInstanceStatus"], free_storage()) == ("available", 20.5)
