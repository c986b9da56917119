"""What CloudWatch has measured while a fault is on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from moto.cloudwatch.models import cloudwatch_backends

from orchestrator.local.core.cloud import ACCOUNT, REGION
from orchestrator.local.faults.manual_changes import Console, Undo


def measure(namespace: str, dimensions: dict[str, str], metric: str, value: float) -> Iterator[Undo]:
    """CloudWatch has had this value of a metric every minute of the last hour; undone, nobody measured it.

    Left out: the value does not go on with time.
    """
    store = cloudwatch_backends[ACCOUNT][REGION]
    pairs = [{"Name": key, "Value": said} for key, said in dimensions.items()]
    now, before = datetime.now(UTC).replace(tzinfo=None), list(store.metric_data)  # moto's times know no zone
    ages = [timedelta(seconds=30 + 60 * minute) for minute in range(60)]
    points = [{"MetricName": metric, "Dimensions": pairs, "Value": value, "Timestamp": now - age} for age in ages]
    store.put_metric_data(namespace, points)
    made = {id(one) for one in store.metric_data} - {id(one) for one in before}

    def forget() -> None:
        store.metric_data = [one for one in store.metric_data if id(one) not in made]

    yield forget


def rds_metric(console: Console, metric: str, value: float) -> Iterator[Undo]:
    """A metric of every database server."""
    for one in console.client("rds").describe_db_instances()["DBInstances"]:
        yield from measure("AWS/RDS", {"DBInstanceIdentifier": one["DBInstanceIdentifier"]}, metric, value)
