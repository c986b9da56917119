"""Rates: a burst and a number of calls per second, by token buckets of each account and region, as on AWS.

Calls beyond that are refused with the service's own throttling error. The buckets refill in AWS's seconds: in a cloud
300 times as fast they never run dry. With `--rates 1` they refill in real seconds. Where AWS publishes no figure, the
row says so and is a cautious guess. A test's oracle takes no tokens, and neither does what AWS does by itself. Two
changes of one hosted zone at once: the second is refused (`PriorRequestNotComplete`). Left out: resource buckets (EC2
counts instances too), the smaller buckets for EC2's unfiltered and unpaginated lists, and operations that a stack
never uses.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moto.iam.models import get_account_id_from

from orchestrator.local.core.bucket import Bucket
from orchestrator.local.core.throttle import words_of
from orchestrator.local.core.wire import HttpAnswer, refusal_of
from orchestrator.local.dns import porkbun
from orchestrator.local.laws import Ask, Force, Law, Refusal, Row
from orchestrator.local.laws.identity import session_of
from orchestrator.local.laws.rate_rows import ROWS, Rate, rates_of

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall

GLOBAL = frozenset({"iam", "route53"})
"""Services whose buckets are the account's in all regions."""
BUSY = "The request was rejected because Route 53 was still processing a prior request."
S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"


class Rates(Force):
    """A bucket for each row (or each operation of it), in each account and region."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._buckets: dict[tuple[Rate, str, str, str], Bucket] = {}
        self._busy: set[str] = set()

    def refusal(self, call: AwsCall) -> Refusal | None:
        """The service's throttling error, when a bucket has too little. What was taken of another one is gone."""
        rates = () if call.of_observer else rates_of(call.service, call.operation)
        if all(self._bucket(rate, call).take(rate.cost(call.parameters)) for rate in rates):
            return None
        with self._lock:
            self._cloud.too_fast[call.name] += 1
        words = words_of(call.service, call.protocol)
        return Refusal(words.code, words.message, words.status)

    def _bucket(self, rate: Rate, call: AwsCall) -> Bucket:
        session = session_of(call.key)
        account = str(session.account_id) if session else get_account_id_from(call.key)
        region = "" if call.service in GLOBAL else call.region
        key = (rate, "" if rate.shared else call.operation, account, region)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = Bucket(rate.size, rate.refill, self._cloud.seconds_of_rates)
            return self._buckets[key]

    def concerns(self, call: AwsCall) -> bool:
        """A change of a hosted zone."""
        return call.name == "route53.ChangeResourceRecordSets" and not call.of_observer

    def answer(self, call: AwsCall, ask: Ask) -> HttpAnswer:
        """As long as a change of the zone is looked at, no other one is."""
        zone = str(call.parameters.get("HostedZoneId", ""))
        with self._lock:
            busy = zone in self._busy
            self._busy.add(zone)
            if busy:
                self._cloud.too_fast[call.name] += 1
        if busy:
            return refusal_of(call, "PriorRequestNotComplete", BUSY, 400)
        try:
            return ask(call)
        finally:
            with self._lock:
                self._busy.discard(zone)


def _rows() -> Sequence[Row]:
    return [
        *map(_row, ROWS),
        Row(
            "route53 ChangeResourceRecordSets", "one at a time for each hosted zone: PriorRequestNotComplete", _ROUTE53
        ),
        Row(
            "s3",
            "no limit per account; per prefix of a bucket 3,500 writes and 5,500 reads a second: never reached here",
            S3,
        ),
        Row(
            "Porkbun, every request",
            f"{porkbun.BURST} at once, {porkbun.REQUESTS_PER_SECOND:g} a second: HTTP 503 with an HTML page",
            "confirmed by its support, and observed: https://github.com/jungaretti/bacon/issues/45",
        ),
    ]


_ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html"


def _row(rate: Rate) -> Row:
    calls = ", ".join(rate.operations)
    if rate.counts_changes:
        calls, counted = f"changes in {calls}", " (an UPSERT is two)"
    else:
        calls, counted = ("all calls together" if rate.beside else "other calls") if calls == "*" else calls, ""
    each = "" if rate.shared else "each: "
    note = f" ({rate.note})" if rate.note else ""
    rule = f"{each}{rate.size:,} at once{counted}, {rate.refill:,g} a second{note}"
    return Row(f"{rate.service} {calls}", rule, rate.source)


LAW = Law(name="rates", title="Request rates", order=10, begin=Rates, rows=_rows)
