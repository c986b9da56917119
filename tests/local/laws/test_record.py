from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.laws.conftest import Anybody
from tests.local.local_cloud import LocalCloud

pytestmark = pytest.mark.cloud


def test_the_cloud_tells_who_called_what_with_how_much(cloud: LocalCloud, anybody: Anybody) -> None:
    ecs = anybody("ecs", agent="somebody/1 way/batched")
    for number in (2, 5, 3):
        with pytest.raises(ClientError, match="Cluster not found"):
            ecs.describe_services(cluster="none", services=["a"] * number)
    (seen,) = [one for one in cloud.ask("calls") if "somebody/1" in one["agent"]]
    assert seen["agent"].endswith("somebody/1 way/batched")
    assert (seen["operation"], seen["calls"], seen["sizes"]) == ("ecs.DescribeServices", 3, {"services": 5})


def test_a_refused_call_is_recorded_too(cloud: LocalCloud, anybody: Anybody) -> None:
    with pytest.raises(ClientError, match="at most 10"):
        anybody("ecs", agent="refused/1").describe_services(services=["a"] * 11)
    (seen,) = [one for one in cloud.ask("calls") if "refused/1" in one["agent"]]
    assert seen["sizes"] == {"services": 11}


def test_of_changes_it_tells_how_often_the_same_one_was_taken(cloud: LocalCloud, anybody: Anybody) -> None:
    logs = anybody("logs", agent="twice/1")
    for name in ("one", "other"):
        logs.create_log_group(logGroupName=name)
    with pytest.raises(ClientError, match="ResourceAlreadyExists"):
        logs.create_log_group(logGroupName="one")
    for _ in range(3):
        logs.put_retention_policy(logGroupName="one", retentionInDays=7)
        logs.describe_log_groups()
    seen = {one["operation"]: one for one in cloud.ask("calls") if "twice/1" in one["agent"]}
    assert {name: (one["calls"], sorted(one["made"].values())) for name, one in seen.items()} == {
        "logs.CreateLogGroup": (3, [1, 1]),
        "logs.PutRetentionPolicy": (3, [3]),
        "logs.DescribeLogGroups": (3, []),
    }
