"""A service with a short ARN: it keeps it, it can't be tagged, and it is migrated as on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.service_counts import ServiceCounts
from tests.local.local_cloud import Aws
from tests.waiting import until

pytestmark = pytest.mark.cloud

CLUSTER, OLD = "made-before-2021", "old"
SETTING = "serviceLongArnFormat"


@pytest.fixture
def ecs(aws: Aws) -> Iterator[Any]:
    """With a service from before 2021 and one from after."""
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName=CLUSTER)
    container = {"name": "a", "image": "nginx:1.27", "memory": 128}
    definition = ecs.register_task_definition(family=CLUSTER, containerDefinitions=[container])["taskDefinition"]
    for name, format_of_the_day in ((OLD, "disabled"), ("new", "enabled")):
        ecs.put_account_setting(name=SETTING, value=format_of_the_day)
        ecs.create_service(
            cluster=CLUSTER, serviceName=name, taskDefinition=definition["taskDefinitionArn"], desiredCount=0
        )
    yield ecs
    ecs.put_account_setting(name=SETTING, value="enabled")


def test_a_service_is_tagged_by_its_long_arn_once_the_account_allows_it(ecs: Any) -> None:
    counts = ServiceCounts(ecs, CLUSTER)
    until("both are there", lambda: counts.read([OLD, "new"]).keys() == {OLD, "new"})
    old, new = (counts.read([name])[name] for name in (OLD, "new"))
    assert old.arn.endswith(f":service/{OLD}")
    assert new.arn == new.taggable_arn
    assert old.taggable_arn == new.arn.replace("/new", f"/{OLD}")

    refused = "Long arn format must be used for tagging operations"
    with pytest.raises(ClientError, match=refused):
        tag(ecs, old.arn)
    with pytest.raises(ClientError, match=refused):
        ecs.untag_resource(resourceArn=old.arn, tagKeys=["x"])
    with pytest.raises(ClientError, match=refused):
        ecs.list_tags_for_resource(resourceArn=old.taggable_arn)
    ecs.put_account_setting(name=SETTING, value="disabled")
    with pytest.raises(ClientError, match="does not have serviceLongArnFormat"):
        tag(ecs, old.taggable_arn)
    ecs.put_account_setting(name=SETTING, value="enabled")
    tag(ecs, old.taggable_arn)
    until("it has a long ARN", lambda: counts.read([OLD])[OLD].arn == old.taggable_arn)
    until("and the tag", lambda: counts.read([OLD])[OLD].tags == {"x": "y"})


def tag(ecs: Any, arn: str) -> None:
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "x", "value": "y"}])
