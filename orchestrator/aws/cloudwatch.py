"""CloudWatch: the recent average and extremes of metrics, several in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

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
        pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {"Namespace": namespace, "MetricName": one.name, "Dimensions": pairs},
                    "Period": PERIOD,
                    "Stat": one.statistic,
                },
            }
            for number, one in enumerate(metrics)
        ]
        with translated("cloudwatch:GetMetricData"):
            answer = self._client.get_metric_data(MetricDataQueries=queries, StartTime=now - span, EndTime=now)
        values = {one["Id"]: tuple(map(float, one["Values"])) for one in answer["MetricDataResults"]}
        return {one.name: values.get(f"m{number}", ()) for number, one in enumerate(metrics)}
