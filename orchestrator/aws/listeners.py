"""How a load balancer sends requests on: its listeners' rules and certificates."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws import pages
from orchestrator.aws.pages import items
from orchestrator.aws.session import code_of, problem_of, translated

DEFAULT = 10**6
"""The priority of a listener's default rule: after all others."""
_GONE = ("LoadBalancerNotFound", "LoadBalancerNotFoundException", "ListenerNotFound", "ListenerNotFoundException")


@dataclass(frozen=True, slots=True)
class ListenerRule:
    """One rule. `hosts` empty: any host; `narrowed`: it has other conditions (paths, headers) too.

    `paths` are those of its path conditions, `conditional` says that it has conditions beside hosts and paths. A name
    or path that begins with `re:` is a regular expression.
    """

    listener_port: int
    priority: int
    hosts: tuple[str, ...] = ()
    narrowed: bool = False
    target_groups: tuple[str, ...] = ()
    action: str = "forward"
    paths: tuple[str, ...] = ()
    conditional: bool = False

    def matches(self, hostname: str) -> bool:
        """Whether a request for this host takes it (`*` and `?` are wildcards, as in the API)."""
        return not self.hosts or any(_fits(host.lower(), hostname.lower()) for host in self.hosts)

    def takes(self, hostname: str, path: str) -> bool:
        """Whether a plain request for this path of the host takes it; one of a conditional rule may not."""
        fits = not self.paths or any(_fits(one, path.partition("?")[0]) for one in self.paths)
        asks_more = self.conditional or (self.narrowed and not self.paths)
        return self.matches(hostname) and fits and not asks_more


@dataclass(frozen=True, slots=True)
class Routing:
    """A load balancer's way in: its HTTPS listeners and their rules by priority, certificates, security groups.

    DescribeListeners shows no certificate but the default one: `Listeners.certificates` has them all.
    """

    found: bool = True
    state: str = "active"
    https: bool = False
    listeners: tuple[str, ...] = ()
    rules: tuple[ListenerRule, ...] = ()
    certificates: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    internal: bool = False
    """Whether it has private addresses only: nobody outside of its network can visit it."""


class Listeners:
    """Reads through a boto3 `elbv2` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def routing(self, load_balancer: str) -> Routing:
        """Two calls and one a listener of HTTPS."""
        try:
            balancer = pages.one(
                self._client, "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[load_balancer]
            )
            if balancer is None:
                return Routing(found=False)
            listeners = items(self._client, "describe_listeners", "Listeners", LoadBalancerArn=load_balancer)
            secure = [way for way in listeners if way.get("Protocol") in ("HTTPS", "TLS")]
            raws = [(way["Port"], self._rules(way["ListenerArn"])) for way in secure]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE:
                return Routing(found=False)
            raise problem_of(error, "elasticloadbalancing:DescribeRules") from None
        rules = sorted((_rule(port, raw) for port, some in raws for raw in some), key=lambda rule: rule.priority)
        return Routing(
            state=balancer.get("State", {}).get("Code", ""),
            https=bool(secure),
            listeners=tuple(way["ListenerArn"] for way in secure),
            rules=tuple(rules),
            certificates=tuple(shown["CertificateArn"] for way in secure for shown in way.get("Certificates", ())),
            groups=tuple(balancer.get("SecurityGroups", ())),
            internal=balancer.get("Scheme") == "internal",
        )

    def others(self, load_balancer: str, mine: Collection[str]) -> tuple[str, ...]:
        """Rules that forward to other target groups than these, in words; none of a load balancer that is gone."""
        try:
            listeners = list(items(self._client, "describe_listeners", "Listeners", LoadBalancerArn=load_balancer))
            raws = [(one["Port"], raw) for one in listeners for raw in self._rules(one["ListenerArn"])]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE:
                return ()
            raise problem_of(error, "elasticloadbalancing:DescribeRules") from None
        rules = [_rule(port, raw) for port, raw in raws]
        return tuple(
            f"the rule of port {one.listener_port} for {', '.join(one.hosts) or 'any host'}"
            for one in rules
            if set(one.target_groups) - set(mine)
        )

    def _rules(self, listener: str) -> list[dict[str, Any]]:
        return list(items(self._client, "describe_rules", "Rules", ListenerArn=listener))

    def certificates(self, listeners: Sequence[str]) -> tuple[str, ...]:
        """Of each listener the default one, then those that SNI chooses from."""
        found: list[str] = []
        for arn in listeners:
            with translated("elasticloadbalancing:DescribeListenerCertificates"):
                shown = list(items(self._client, "describe_listener_certificates", "Certificates", ListenerArn=arn))
            found += [one["CertificateArn"] for one in sorted(shown, key=lambda one: not one.get("IsDefault"))]
        return tuple(dict.fromkeys(found))


_CONFIG = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}


def _rule(port: int, raw: Mapping[str, Any]) -> ListenerRule:
    conditions = raw.get("Conditions", ())
    hosts, paths = _named(conditions, "host-header"), _named(conditions, "path-pattern")
    kinds = {one["Field"] for one in conditions}
    action = max(raw["Actions"], key=lambda one: int(one.get("Order") or 0))
    forward = action.get("ForwardConfig", {}).get("TargetGroups", ())
    groups = dict.fromkeys([*([action["TargetGroupArn"]] if action.get("TargetGroupArn") else ()), *_arns(forward)])
    priority = DEFAULT if raw.get("IsDefault") or raw["Priority"] == "default" else int(raw["Priority"])
    narrowed, conditional = bool(kinds - {"host-header"}), bool(kinds - _CONFIG.keys())
    return ListenerRule(port, priority, hosts, narrowed, tuple(groups), action["Type"], paths, conditional)


def _named(conditions: Sequence[Mapping[str, Any]], field: str) -> tuple[str, ...]:
    """What the conditions of this kind name: wildcards, and regular expressions behind `re:`."""
    found: list[str] = []
    for one in conditions:
        if one["Field"] == field:
            config = one.get(_CONFIG[field], {})
            found += config.get("Values") or one.get("Values", ())
            found += [f"re:{text}" for text in config.get("RegexValues", ())]
    return tuple(found)


def _fits(pattern: str, text: str) -> bool:
    if not pattern.startswith("re:"):
        return fnmatchcase(text, pattern)
    try:
        return re.search(pattern.removeprefix("re:"), text) is not None
    except re.error:
        return True  # AWS's dialect has more: what can't be told counts as taken


def _arns(forward: Sequence[Mapping[str, Any]]) -> list[str]:
    return [one["TargetGroupArn"] for one in forward if one.get("Weight", 1) > 0]
