"""Elastic Load Balancing: target groups' health and its checks, and whether a load balancer is there at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items, one
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.engine.looks import Recent
from orchestrator.errors import Invalid, Problem

NO_SUCH_GROUP = frozenset({"TargetGroupNotFound", "TargetGroupNotFoundException"})
_NO_SUCH_LOAD_BALANCER = ("LoadBalancerNotFound", "LoadBalancerNotFoundException", "ValidationError")
"""An ARN of another region is a ValidationError."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target group checks its targets: times in seconds, `port` is `traffic-port` or a number.

    `healthy` and `unhealthy` are how many checks in a row decide.
    """

    target_group: str = ""
    path: str = "/"
    port: str = "traffic-port"
    matcher: str = ""
    interval: int = 0
    timeout: int = 0
    healthy: int = 0
    unhealthy: int = 0
    vpc: str = ""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How many targets of a group are in which state, and the reasons of those that are not healthy.

    `serving` are the addresses (or instances) of those that get, or soon will get, traffic: all but what drains.
    """

    states: dict[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    found: bool = True
    serving: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    """The reasons with what the load balancer says of them: the status that a check met."""

    def beside(self, other: TargetHealth) -> TargetHealth:
        """The targets of both."""
        states = Counter(self.states) + Counter(other.states)
        reasons = tuple(sorted({*self.reasons, *other.reasons}))
        said = tuple(sorted({*self.explained, *other.explained}))
        return TargetHealth(dict(states), reasons, self.found or other.found, self.serving + other.serving, said)

    @property
    def healthy(self) -> int:
        """Targets that get traffic."""
        return self.states.get("healthy", 0)


def groups_of(client: Any, arns: Sequence[str]) -> Iterator[Any]:
    """Those that exist among the target groups, as DescribeTargetGroups has them."""
    return items(client, "describe_target_groups", "TargetGroups", gone=NO_SUCH_GROUP, TargetGroupArns=list(arns))


class Elbv2:
    """Reads load balancers and target groups through a boto3 `elbv2` client."""

    def __init__(self, client: Any, recent: Recent | None = None) -> None:
        """`recent`: what is shared with those who ask the same of load balancing."""
        self._client = client
        self._recent = recent or Recent()

    def health(self, target_group_arn: str) -> TargetHealth:
        """The health of the group's targets now."""
        return self._recent.one(("health", target_group_arn), lambda: self._health(target_group_arn))

    def _health(self, target_group_arn: str) -> TargetHealth:
        try:
            answer = self._client.describe_target_health(TargetGroupArn=target_group_arn)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in NO_SUCH_GROUP:
                return TargetHealth(found=False)
            raise problem_of(error, "elasticloadbalancing:DescribeTargetHealth") from None
        found = [(str(one["Target"]["Id"]), one.get("TargetHealth", {})) for one in answer["TargetHealthDescriptions"]]
        states = Counter(health.get("State", "unknown") for _, health in found)
        reasons = sorted({health["Reason"] for _, health in found if health.get("Reason")})
        serving = tuple(sorted(target for target, health in found if health.get("State") != "draining"))
        said = {": ".join(filter(None, map(health.get, ("Reason", "Description")))) for _, health in found}
        return TargetHealth(dict(states), tuple(reasons), serving=serving, explained=tuple(sorted(said - {""})))

    def alive(self, dns_names: Iterable[str]) -> frozenset[str]:
        """Those of the names (lower case) that a load balancer of this account and region bears now."""
        wanted = frozenset(dns_names)
        with translated("elasticloadbalancing:DescribeLoadBalancers"):
            found = [
                str(one["DNSName"]).lower() for one in items(self._client, "describe_load_balancers", "LoadBalancers")
            ]
        return wanted & frozenset(found)

    def checks(self, target_group_arns: Iterable[str]) -> Mapping[str, HealthCheck]:
        """The health checks of those groups that exist."""
        wanted = sorted(target_group_arns)
        with translated("elasticloadbalancing:DescribeTargetGroups"):
            found = list(groups_of(self._client, wanted))
        return {
            one["TargetGroupArn"]: HealthCheck(
                target_group=one["TargetGroupArn"],
                path=one.get("HealthCheckPath", "/"),
                port=str(one.get("HealthCheckPort", "traffic-port")),
                matcher=one.get("Matcher", {}).get("HttpCode", ""),
                interval=one.get("HealthCheckIntervalSeconds", 0),
                timeout=one.get("HealthCheckTimeoutSeconds", 0),
                healthy=one.get("HealthyThresholdCount", 0),
                unhealthy=one.get("UnhealthyThresholdCount", 0),
                vpc=one.get("VpcId", ""),
            )
            for one in found
        }

    def state(self, arn: str) -> str:
        """The load balancer's own state (`active`, `provisioning`, …); empty: there is none of this ARN."""
        try:
            found = one(self._client, "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[arn])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) not in _NO_SUCH_LOAD_BALANCER:
                raise problem_of(error, "elasticloadbalancing:DescribeLoadBalancers") from None
            return ""
        return str(found.get("State", {}).get("Code", "active")) if found else ""

    def require(self, arn: str, dns_name: str, region: str) -> None:
        """Raise `Invalid` unless it is there under its name: old outputs would lead the world to nowhere."""
        try:
            found = one(self._client, "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[arn])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) not in _NO_SUCH_LOAD_BALANCER:
                raise problem_of(error, "elasticloadbalancing:DescribeLoadBalancers") from None
            found = None
        if found is None:
            message = f"there is no load balancer {dns_name} in {region}"
            fix = (
                "check `region` and `load_balancer` in the contract: these outputs belong to another stack or are "
                "out of date"
            )
            raise Invalid(Problem("load-balancer-missing", message, "contract: load_balancer", fix))
        name = found["DNSName"]
        if name.lower() != dns_name.lower():
            message = f"the contract says {dns_name}, AWS says {name}"
            fix = "run terraform apply, or pass the current outputs"
            raise Invalid(Problem("contract-stale", message, "contract: load_balancer", fix))
