"""Our adapters read what AWS really answered, and guess nothing from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.aws.acm import Acm
from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.iam import Iam
from orchestrator.aws.listeners import Listeners
from orchestrator.aws.logs import Logs
from orchestrator.aws.network import Network
from orchestrator.aws.rds import Rds
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.snapshots import DbSnapshots
from orchestrator.aws.ssm import Ssm
from orchestrator.dns.model import Connection
from orchestrator.dns.route53 import connect
from orchestrator.errors import OrchestratorError
from tests.answers.derived import RECORDED
from tests.answers.replay import client, recorded

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="AWS's recorded answers are not beside this checkout")


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/one"
REFUSALS = {"ec2/DescribeSecurityGroups.5", "logs/DescribeLogGroups.4"}
"""Records of an error that is ours to tell, not to read anything from."""


def numbered(operation: str) -> list[str]:
    """`ecs/DescribeServices` → its records. None where the folder isn't."""
    return sorted(
        str(file.relative_to(RECORDED)).removesuffix(".json") for file in RECORDED.glob(f"{operation}.*.json")
    )


def ssm(*names: str) -> Ssm:
    return Ssm(client(*names), sleep=lambda _seconds: None, monotonic=lambda: 0.0)


def names_in(name: str, listed: str, key: str) -> list[str]:
    return [one[key] for one in recorded(name)[listed]]


READ: dict[str, Callable[[str], Any]] = {
    "acm/DescribeCertificate": lambda name: Acm(client(name)).certificate(CERTIFICATE),
    "ec2/DescribeInstances": lambda name: (
        Ec2(client(name)).states(["i-1"]),
        Network(client(name)).instances(["i-1"]),
    ),
    "ec2/DescribeSecurityGroups": lambda name: Network(client(name)).groups(["sg-1"]),
    "ecs/DescribeServices": lambda name: Ecs(client(name), "c").services(names_in(name, "services", "serviceName")),
    "ecs/DescribeTasks": lambda name: Ecs(client(name, "ecs/ListTasks.1"), "c").tasks("s"),
    "ecs/DescribeTaskDefinition": lambda name: ClusterServices(client(name), "c").definition("arn"),
    "elasticache/DescribeReplicationGroups": lambda name: ElastiCache(client(name)).group("g"),
    "elasticloadbalancing/DescribeTargetHealth": lambda name: Elbv2(client(name)).health("arn"),
    "iam/SimulatePrincipalPolicy": lambda name: Iam(client(name)).simulate("arn:aws:iam::1:role/r", ["s3:Get*"], ["*"]),
    "logs/DescribeLogGroups": lambda name: Logs(client(name)).has("/ecs/nobody"),
    "rds/DescribeDBInstances": lambda name: Rds(client(name)).server("d"),
    "rds/DescribeDBSnapshots": lambda name: (
        DbSnapshots(client(name)).find("s"),
        Rds(client(name)).newest_snapshot("d"),
    ),
    "ssm/DescribeInstanceInformation": lambda name: ssm(name).ping("mi-1111aa111aa11a111"),
    "route53/ListHostedZones": lambda name: connect(
        Connection({}, lambda _s: client(name), lambda _s: None, lambda: 0.0)
    ),
}
"""Operation → what of ours reads its answers."""


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation in READ for name in numbered(operation)]
)
def test_every_recorded_answer_can_be_read(operation: str, name: str) -> None:
    if name in REFUSALS:
        with pytest.raises(OrchestratorError):
            READ[operation](name)
    else:
        READ[operation](name)


def test_a_running_task_whose_health_nobody_checks_is_running() -> None:
    (task,) = Ecs(client("ecs/DescribeTasks.2", "ecs/ListTasks.1"), "c").tasks("s")
    assert (task.status, task.stopped_reason, task.ended_at) == ("RUNNING", "", None)


def test_a_task_that_failed_to_start_says_why() -> None:
    (task,) = Ecs(client("ecs/DescribeTasks.1", "ecs/ListTasks.1"), "c").tasks("s")
    assert task.stop_code == "TaskFailedToStart"
    assert task.containers[0].exit_code is None
    assert task.containers[0].reason.startswith("CannotPullContainerError")


def test_a_service_with_task_sets_is_somebody_elses_to_deploy() -> None:
    (service,) = Ecs(client("ecs/DescribeServices.1"), "c").services(["test-task-set-delete"]).values()
    assert not service.deploys_itself
    assert service.primary is not None
    assert service.primary.id == "ecs-svc/4201323268728819917"


def test_a_database_server_that_is_not_there_is_not_there() -> None:
    assert Rds(client("rds/DescribeDBInstances.4")).server("d").status == ""


def test_a_role_that_is_not_there_is_not_there() -> None:
    assert not Iam(client("iam/SimulatePrincipalPolicy.2")).simulate("arn:aws:iam::1:role/r", ["s3:Get*"], ["*"]).exists


def test_a_service_whose_rollout_is_under_way_is_not_steady() -> None:
    found = Ecs(client("ecs/DescribeServices.4"), "c").services(
        names_in("ecs/DescribeServices.4", "services", "serviceName")
    )
    primary = next(one.primary for one in found.values() if one.desired)
    assert primary is not None
    assert (primary.rollout_state, primary.running, primary.failed) == ("IN_PROGRESS", 0, 10)


def test_targets_without_a_state_are_not_healthy() -> None:
    health = Elbv2(client("elasticloadbalancing/DescribeTargetHealth.1")).health("arn")
    assert health.healthy == 0
    assert health.found


def test_a_group_without_a_token_does_not_ask_for_one() -> None:
    group = ElastiCache(client("elasticache/DescribeReplicationGroups.1")).group("c7n-test-global")
    assert (group.auth, group.host) == (False, "master.c7n-test-global.tgeny2.use1.cache.amazonaws.com")


def test_listeners_that_speak_http_are_no_way_for_https() -> None:
    listeners = Listeners(
        client(
            "elasticloadbalancing/DescribeListeners.2",
            "elasticloadbalancing/DescribeLoadBalancers.3",
            "elasticloadbalancing/DescribeRules.1",
        )
    )
    assert not listeners.routing("arn").https
