"""AWS's limits of one call's arguments, a row each. What a model of botocore's says already is not repeated here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

Measure = Callable[[Mapping[str, Any]], int]


@dataclass(frozen=True, slots=True)
class Limit:
    """`words` may hold `{number}` and `{most}`; `source` is who says so."""

    service: str
    operations: frozenset[str]
    what: str
    most: int
    measure: Measure
    code: str
    words: str
    source: str


def items(path: str) -> Measure:
    """The number of elements (of a text: characters) at this path (JMESPath)."""
    find = jmespath.compile(path)
    return lambda parameters: len(find.search(parameters) or ())


def longest(path: str) -> Measure:
    """Of several lists or texts at this path, the size of the greatest."""
    find = jmespath.compile(path)
    return lambda parameters: max((len(one or ()) for one in find.search(parameters) or ()), default=0)


def octets(path: str) -> Measure:
    """The bytes of the text at this path, in UTF-8."""
    find = jmespath.compile(path)

    def measure(parameters: Mapping[str, Any]) -> int:
        found = find.search(parameters) or b""
        return len(found.encode() if isinstance(found, str) else found)

    return measure


def _record_weight(change: Mapping[str, Any]) -> int:
    """An UPSERT counts twice."""
    return 2 if change.get("Action") == "UPSERT" else 1


def _changes(parameters: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (parameters.get("ChangeBatch") or {}).get("Changes") or ()


def record_elements(parameters: Mapping[str, Any]) -> int:
    """ResourceRecord elements of a change batch; an alias is one."""
    return sum(
        _record_weight(change) * max(1, len(change.get("ResourceRecordSet", {}).get("ResourceRecords") or ()))
        for change in _changes(parameters)
    )


def record_characters(parameters: Mapping[str, Any]) -> int:
    """Characters in the values of a change batch."""
    return sum(
        _record_weight(change)
        * sum(len(one.get("Value", "")) for one in change.get("ResourceRecordSet", {}).get("ResourceRecords") or ())
        for change in _changes(parameters)
    )


_ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference"
_ECS = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html"


def _balancing(operation: str, argument: str, words: str) -> Limit:
    return Limit(
        "elbv2", frozenset({operation}), argument, 20, items(argument), "ValidationError", words,
        f"{_ELB}/API_{operation}.html",
    )  # fmt: skip


def _ecs(operation: str, argument: str, most: int, named: str) -> Limit:
    words = f"{named} can have at most {{most}} items."
    return Limit(
        "ecs", frozenset({operation}), argument, most, items(argument), "InvalidParameterException", words,
        f"{_ECS}/API_{operation}.html",
    )  # fmt: skip


def _dns(what: str, most: int, measure: Measure, words: str) -> Limit:
    return Limit(
        "route53", frozenset({"ChangeResourceRecordSets"}), what, most, measure, "InvalidChangeBatch", words, _ROUTE53
    )


ROWS: tuple[Limit, ...] = (
    _balancing("DescribeTargetGroups", "TargetGroupArns",
               "You cannot describe more than '{most}' target groups at a time"),
    _balancing("DescribeRules", "RuleArns", "You cannot describe more than '{most}' listener rules at a time"),
    _balancing("DescribeListeners", "ListenerArns", "You cannot describe more than '{most}' listeners at a time"),
    _balancing("DescribeTags", "ResourceArns", "You cannot describe tags of more than '{most}' resources at a time"),
    _balancing("DescribeLoadBalancers", "LoadBalancerArns",
               "Up to {most} load balancers can be described at a time, but {number} were specified"),
    _ecs("DescribeServices", "services", 10, "service names"),
    _ecs("DescribeTasks", "tasks", 100, "taskIds"),
    _ecs("DescribeContainerInstances", "containerInstances", 100, "instanceIds"),
    _ecs("DescribeClusters", "clusters", 100, "clusterIds"),
    _dns("ResourceRecord elements, an UPSERT's twice", 1000, record_elements,
         "[Number of records limit of {most} exceeded.]"),
    _dns("characters of all values, an UPSERT's twice", 32_000, record_characters,
         "[RDATA character limit of {most} exceeded.]"),
)  # fmt: skip
