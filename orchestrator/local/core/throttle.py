"""AWS answers `ThrottlingException`, in each service's own protocol, before the call is looked at.

The first attempt of every call is refused; its retry passes. Every `HARD`th call to a service of `POLLED` is refused
`HARD_ATTEMPTS` times: more than botocore's own retries (3 attempts in standard mode, 5 in legacy), so that the caller's
patience is tested too. Attempts are told apart by the `amz-sdk-request` header, which every AWS SDK sends; a caller
without it, or who never retries by itself, is refused every second time (of a service).
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

HARD = 7
"""Fewer calls than one look of a step makes with pages of three items: it must go on where it was stopped."""
HARD_ATTEMPTS = 5
POLLED = frozenset({"ecs", "elasticloadbalancing", "rds", "route53", "ssm", "elasticache"})

_ATTEMPT = re.compile(r"attempt=(\d+)")
_NO_RETRIES = re.compile(r"\bmax=1\b")
XML = "text/xml"


@dataclass(frozen=True, slots=True)
class ThrottledAnswer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class Words:
    """A service's throttling error."""

    status: int
    code: str
    message: str


_OWN = {
    "ec2": Words(503, "RequestLimitExceeded", "Request limit exceeded."),
    "s3": Words(503, "SlowDown", "Please reduce your request rate."),
    "service-quotas": Words(400, "TooManyRequestsException", "Rate exceeded"),
    "servicequotas": Words(400, "TooManyRequestsException", "Rate exceeded"),
}
"""By botocore's name of the service and by its signing name."""


def words_of(service: str, protocol: str) -> Words:
    """What the service calls it, and with which status: some have words of their own, JSON differs from XML."""
    if service in _OWN:
        return _OWN[service]
    if protocol == "json":
        return Words(400, "ThrottlingException", "Rate exceeded")
    if protocol == "rest-json":
        return Words(429, "TooManyRequestsException", "Rate exceeded")
    return Words(400, "Throttling", "Rate exceeded")


def refusal(service: str, *, target: str, content_type: str) -> ThrottledAnswer:
    """The error in the protocol of the request: JSON, EC2, query, S3 or REST XML, REST JSON."""
    form = content_type.startswith("application/x-www-form-urlencoded") or service == "route53"
    protocol = "json" if target else "query" if form or service in {"ec2", "s3"} else "rest-json"
    said = words_of(service, protocol)
    error = f"<Code>{said.code}</Code><Message>{said.message}</Message>"
    if protocol == "json":
        body = json.dumps({"__type": said.code, "message": said.message}).encode()
        return ThrottledAnswer(said.status, "application/x-amz-json-1.1", body, said.code)
    if service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>local</RequestID></Response>"
        return ThrottledAnswer(said.status, XML, text.encode(), "")
    if service == "s3":
        return ThrottledAnswer(said.status, "application/xml", f"<Error>{error}</Error>".encode(), "")
    if protocol == "query":
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>local</RequestId></ErrorResponse>"
        return ThrottledAnswer(said.status, XML, text.encode(), "")
    return ThrottledAnswer(said.status, "application/json", json.dumps({"message": said.message}).encode(), said.code)


@dataclass(slots=True)
class Throttle:
    """Decides which attempts are refused; remembers the invocations that are refused for longer."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: Counter[str] = field(default_factory=Counter)
    _polled: int = 0
    _hard: set[str] = field(default_factory=set)

    def refuses(self, service: str, *, invocation: str, sdk_request: str) -> bool:
        """Whether this attempt is refused. `invocation` is the same for all attempts of one call."""
        found = _ATTEMPT.search(sdk_request)
        with self._lock:
            if found is None or _NO_RETRIES.search(sdk_request):
                self._seen[service] += 1
                return self._seen[service] % 2 == 1
            attempt = int(found.group(1))
            if attempt == 1 and service in POLLED:
                self._polled += 1
                if self._polled % HARD == 0:
                    self._hard.add(invocation)
            limit = HARD_ATTEMPTS if invocation in self._hard else 1
            if attempt > limit:
                self._hard.discard(invocation)
            return attempt <= limit
