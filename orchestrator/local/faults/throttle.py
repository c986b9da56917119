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

from orchestrator.local.faults import Fault

FAULT = Fault(name="throttle", title="AWS throttles every call at first", per_tenant=False)

HARD = 7
HARD_ATTEMPTS = 5
POLLED = frozenset({"ecs", "elasticloadbalancing", "rds", "route53", "ssm", "elasticache"})

_ATTEMPT = re.compile(r"attempt=(\d+)")
_NO_RETRIES = re.compile(r"\bmax=1\b")
XML = "text/xml"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    error_type: str


def refusal(service: str, *, target: str, content_type: str) -> Refusal:
    """The service's throttling error in the protocol of the request: JSON, EC2, query, S3 or REST XML, REST JSON."""
    if target:
        body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
        return Refusal(400, "application/x-amz-json-1.1", body, "ThrottlingException")
    if service == "ec2":
        errors = "<Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error>"
        return Refusal(503, XML, f"<Response>{errors}</Errors><RequestID>local</RequestID></Response>".encode(), "")
    if service == "s3":
        body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return Refusal(503, "application/xml", body, "")
    if content_type.startswith("application/x-www-form-urlencoded") or service == "route53":
        error = "<Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>local</RequestId></ErrorResponse>".encode()
        return Refusal(400, XML, body, "")
    body = json.dumps({"message": "Rate exceeded"}).encode()
    return Refusal(429, "application/json", body, "TooManyRequestsException")


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
