"""Rates: so many calls at once and so many a second, by token buckets of each account and region, as AWS has them.

What comes too fast is refused with the service's own throttling error. The buckets fill in AWS's seconds: in a cloud
300 times as fast they never run dry. With `--rates real` they fill in real ones. A test's oracle takes no tokens, nor
does what AWS does by itself. Left out: services whose figures AWS does not publish (RDS, Run Command), and buckets of
single operations that a stack's life does not meet.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.local.faults.throttle import words_of
from orchestrator.local.laws import Force, Law, Refusal, Row

if TYPE_CHECKING:
    from orchestrator.local.cloud import Cloud
    from orchestrator.local.wire import Call

ECS = "ECS developer guide, “Request throttling for the Amazon ECS API”"
ELB = "Elastic Load Balancing user guide, “Request throttling for the Elastic Load Balancing API”"
EC2 = "EC2 developer guide, “Request throttling for the Amazon EC2 API”"
ROUTE53 = "Route 53 developer guide, “Quotas”: requests a second and account"


@dataclass(frozen=True, slots=True)
class Rate:
    """The operations of a service that share a bucket: `size` tokens, `refill` a second. The first row that fits."""

    service: str
    operations: re.Pattern[str]
    size: int
    refill: int
    source: str


def _rate(service: str, operations: str, size: int, refill: int, source: str) -> Rate:
    return Rate(service, re.compile(operations), size, refill, source)


ROWS = (
    _rate("elbv2", r"Describe\w+", 40, 10, ELB),
    _rate("ecs", r"(Describe|List)Clusters|ListContainerInstances", 50, 20, ECS),
    _rate("ecs", r"(Describe|List)(Services|Tasks)|DescribeTaskSets", 100, 20, ECS),
    _rate("ecs", r"(Create|Update|Delete)Service", 50, 5, ECS),
    _rate("ec2", r"(Start|Stop)Instances", 5, 2, EC2),
    _rate("ec2", r"(Describe|Get)\w+", 100, 20, EC2),
    _rate("ec2", r"\w+", 50, 5, EC2),
    _rate("route53", r"ChangeResourceRecordSets", 5, 5, ROUTE53),
    _rate("route53", r"\w+", 10, 10, ROUTE53),
)


def rate_of(service: str, operation: str) -> Rate | None:
    """The row of an operation; None: it may be called as often as one likes."""
    fitting = (row for row in ROWS if row.service == service and row.operations.fullmatch(operation))
    return next(fitting, None)


@dataclass(slots=True)
class Bucket:
    """Full at first. Times are seconds of the clock that it fills by."""

    size: int
    refill: float
    tokens: float
    at: float

    def take(self, now: float) -> bool:
        """Whether there was a token left."""
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.refill)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Rates(Force):
    """A bucket for each row, in each region."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._buckets: dict[tuple[Rate, str], Bucket] = {}

    def refusal(self, call: Call) -> Refusal | None:
        """The service's throttling error, when its bucket is empty."""
        rate = None if call.of_observer else rate_of(call.service, call.operation)
        if rate is None:
            return None
        now = self._cloud.pace.monotonic() * (1 if self._cloud.real_rates else self._cloud.pace.speed)
        with self._lock:
            bucket = self._buckets.setdefault((rate, call.region), Bucket(rate.size, rate.refill, rate.size, now))
            if bucket.take(now):
                return None
            self._cloud.too_fast += 1
        words = words_of(call.service, call.protocol)
        return Refusal(words.code, words.message, words.status)


def _rows() -> Sequence[Row]:
    return [
        Row(f"{row.service} {row.operations.pattern}", f"{row.size} at once, {row.refill} a second", row.source)
        for row in ROWS
    ]


LAW = Law(name="rates", title="How often one may ask", order=10, begin=Rates, rows=_rows)
