"""A stack was paused more than a week ago: RDS has started its stopped database server by itself.

Where nothing is paused, it is made to look so: services at 0, instances that are stopped and a DB instance that runs,
all tagged as `orchestrate pause` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from orchestrator.local.core.pace import Pace
from orchestrator.local.faults.manual_changes import Console, Undo, instances, meddled, start_server, stop_instances

TAG = "orchestrate:paused"
AGO = timedelta(days=8)
INDEX_HOSTS = ("VESPA_HOST", "OPENSEARCH_HOST")


def _week_later(console: Console) -> Iterator[Undo]:
    ecs, rds = console.client("ecs"), console.client("rds")
    stamp = f"{Pace.now() - AGO:%Y-%m-%dT%H:%M:%SZ} somebody@somewhere"
    for one in console.services():
        count, arn, target = one["desiredCount"], one["serviceArn"], {"service": one["serviceName"]}
        if count:
            target["cluster"] = one["clusterArn"]
            ecs.tag_resource(resourceArn=arn, tags=[{"key": TAG, "value": f"{stamp} desired={count}"}])
            yield lambda arn=arn: ecs.untag_resource(resourceArn=arn, tagKeys=[TAG])  # type: ignore[misc]
            ecs.update_service(**target, desiredCount=0)
            yield lambda target=target, count=count: ecs.update_service(**target, desiredCount=count)  # type: ignore[misc]
    indexes = {one for variable in INDEX_HOSTS for one in instances(console, variable)}
    yield stop_instances(console, sorted(indexes))
    for one in rds.describe_db_instances()["DBInstances"]:
        arn, name = one["DBInstanceArn"], {"DBInstanceIdentifier": one["DBInstanceIdentifier"]}
        if not any(tag["Key"] == TAG for tag in one.get("TagList", ())):
            rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": TAG, "Value": stamp}])
            yield lambda arn=arn: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=[TAG])  # type: ignore[misc]
            yield partial(start_server, rds, one["DBInstanceIdentifier"])  # where it was stopped again
        if one["DBInstanceStatus"] == "stopped":
            rds.start_db_instance(**name)


FAULT = meddled(
    "database-auto-restarted",
    "RDS has started a paused stack's database server",
    meddle=_week_later,
    guide="",
    per_tenant=False,
    restarts=False,
)
