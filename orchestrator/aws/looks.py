"""One look that goes on where it was stopped: what it had read of settings is not asked again.

A look makes many calls, and a call that is throttled for longer than botocore has patience ends it. If all were asked
again then, a look with more calls than the account lets through would never be whole, and would itself be why. So what
is somebody's setting (`KEPT`: rules, records; nothing that changes by itself) is kept from one try of a look to the
next, no longer than `FRESH`. A look that is whole, or failed for another reason, leaves nothing: the next asks anew.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from orchestrator.errors import Transient

KEPT: Mapping[str, frozenset[str]] = {
    "elasticloadbalancing": frozenset(
        {
            "DescribeListenerCertificates",
            "DescribeListeners",
            "DescribeLoadBalancers",
            "DescribeRules",
            "DescribeTargetGroups",
        }
    ),
    "route53": frozenset({"ListHostedZones", "ListHostedZonesByName", "ListResourceRecordSets"}),
}
"""Signing name → operations: lists of what stays as somebody set it."""
FRESH = 60.0
"""Seconds after which an answer is asked for again, even within a look."""
_GOOD = SimpleNamespace(status_code=HTTPStatus.OK)
_looking: ContextVar[Look | None] = ContextVar("look", default=None)


class Look:
    """What the tries of one step's look have read. `monotonic` counts seconds. Of one thread: others keep nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: dict[object, tuple[float, Any]] = {}

    @contextmanager
    def tried(self) -> Iterator[None]:
        """One try. After `Transient` the next one goes on with what was read; else that is forgotten."""
        before = _looking.set(self)
        goes_on = False
        try:
            yield
        except Transient:
            goes_on = True
            raise
        finally:
            _looking.reset(before)
            if not goes_on:
                self._kept.clear()

    def known(self, request: object) -> Any | None:
        """The answer that an earlier try of this look was given."""
        at, answer = self._kept.get(request, (0.0, None))
        return copy.deepcopy(answer) if answer is not None and self._monotonic() - at <= FRESH else None

    def keep(self, request: object, answer: Any) -> None:
        """As it is told to the caller, who may change it."""
        self._kept.setdefault(request, (self._monotonic(), copy.deepcopy(answer)))


def register(client: Any) -> None:
    """Have the client's lists of `KEPT` be asked once in a look."""
    model = client.meta.service_model
    ours = object()  # the same question to another account has another answer

    def answered(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> Any:
        """What botocore is told instead of asking."""
        look = _looking.get()
        if look is None:
            return None
        context["look"] = (ours, repr([params[part] for part in ("url_path", "query_string", "body")]))
        answer = look.known(context["look"])
        return None if answer is None else (_GOOD, answer)

    for operation in KEPT.get(model.signing_name, ()):
        name = f"{model.service_id.hyphenize()}.{operation}"
        client.meta.events.register(f"before-call.{name}", answered)
        client.meta.events.register(f"after-call.{name}", _keep)


def _keep(http_response: Any, parsed: Any, context: Mapping[str, Any], **_: Any) -> None:
    look = _looking.get()
    if look is not None and "look" in context and http_response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        look.keep(context["look"], parsed)
