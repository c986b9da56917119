"""CloudWatch: the recent average and extremes of metrics, several in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.aws.pages import items
from orchestrator.aws.session import translated

PERIOD = 60
"""Seconds of one data point."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is asked for; `statistic` is CloudWatch's word (Average, Minimum, Maximum)."""

    name: str
    statistic: str


class CloudWatch:
    """Reads metrics through a boto3 `cloudwatch` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def recent(
        self, namespace: str, dimensions: Mapping[str, str], metrics: Sequence[Metric], now: datetime, span: timedelta
    ) -> Mapping[str, tuple[float, ...]]:
        """Metric name → its data points in the last `span`; empty where CloudWatch has none."""
        points = self._read([(namespace, dimensions, one) for one in metrics], now, span)
        return {one.name: values for one, values in zip(metrics, points, strict=True)}

    def recent_of(
        self,
        namespace: str,
        dimensions: Mapping[str, Mapping[str, str]],
        metric: Metric,
        now: datetime,
        span: timedelta,
    ) -> Mapping[str, tuple[float, ...]]:
        """The same metric of several things, by their keys in `dimensions`."""
        points = self._read([(namespace, one, metric) for one in dimensions.values()], now, span)
        return dict(zip(dimensions, points, strict=True))

    def _read(
        self, wanted: Sequence[tuple[str, Mapping[str, str], Metric]], now: datetime, span: timedelta
    ) -> list[tuple[float, ...]]:
        """The data points of each (namespace, dimensions, metric). Those of one may go on on the next page."""
        queries = [_query(number, *one) for number, one in enumerate(wanted)]
        values: dict[str, list[float]] = {query["Id"]: [] for query in queries}
        asked: dict[str, Any] = {"MetricDataQueries": queries, "StartTime": now - span, "EndTime": now}
        with translated("cloudwatch:GetMetricData"):
            for one in items(self._client, "get_metric_data", "MetricDataResults", **asked):
                values[one["Id"]] += map(float, one["Values"])
        return [tuple(points) for points in values.values()]


def _query(number: int, namespace: str, dimensions: Mapping[str, str], metric: Metric) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    of = {"Namespace": namespace, "MetricName": metric.name, "Dimensions": pairs}
    return {"Id": f"m{number}", "MetricStat": {"Metric": of, "Period": PERIOD, "Stat": metric.statistic}}
