"""An observation that continues where it was throttled: settings that it has already read are not read again.

An observation makes many calls; one that stays throttled through all of botocore's attempts ends it. If everything were
read again then, an observation with more calls than the rate limit allows would never complete, and would itself use up
the limit. So settings (`KEPT`: rules, records; nothing that changes by itself) are kept from one attempt of an
observation to the next (`engine.looks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from orchestrator.engine.looks import LOOKING

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
_GOOD = SimpleNamespace(status_code=HTTPStatus.OK)


def register(client: Any) -> None:
    """Have the client's lists of `KEPT` be asked once in a look."""
    model = client.meta.service_model
    ours = object()  # the same question to another account has another answer

    def answered(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> Any:
        """What botocore is told instead of asking."""
        look = LOOKING.get()
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
    look = LOOKING.get()
    if look is not None and "look" in context and http_response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        look.keep(context["look"], parsed)
