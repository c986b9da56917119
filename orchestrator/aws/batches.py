"""The one batcher: what a call of AWS may hold at most, as data, and calls that hold no more.

Who calls names the operation, not the number: arguments that hold more than the operation takes go in several calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from orchestrator.aws import call_marks
from orchestrator.aws.errors import code_of

T = TypeVar("T")

_API = "https://docs.aws.amazon.com"
_ELB = f"{_API}/elasticloadbalancing/latest/APIReference"
_EC2 = f"{_API}/AWSEC2/latest/APIReference"
_SSM = f"{_API}/systems-manager/latest/APIReference"

LIMITS: Mapping[tuple[str, str], tuple[int, str]] = {
    ("batch_get_secret_value", "SecretIdList"): (
        20,
        f"{_API}/secretsmanager/latest/apireference/API_BatchGetSecretValue.html",
    ),
    ("cancel_command", "InstanceIds"): (50, f"{_SSM}/API_CancelCommand.html"),
    ("change_resource_record_sets", "ResourceRecords"): (
        1000,
        f"{_API}/Route53/latest/DeveloperGuide/DNSLimitations.html",
    ),
    ("change_resource_record_sets", "Value"): (
        32_000,
        f"{_API}/Route53/latest/DeveloperGuide/DNSLimitations.html (characters)",
    ),
    ("delete_objects", "Objects"): (1000, f"{_API}/AmazonS3/latest/API/API_DeleteObjects.html"),
    ("delete_parameters", "Names"): (10, f"{_SSM}/API_DeleteParameters.html"),
    ("describe_addresses", "Filters"): (200, f"{_EC2}/API_DescribeAddresses.html"),
    ("describe_instance_information", "Filters"): (100, f"{_SSM}/API_InstanceInformationStringFilter.html"),
    ("describe_instances", "Filters"): (200, f"{_EC2}/API_DescribeInstances.html"),
    ("describe_instances", "InstanceIds"): (1000, f"{_EC2}/API_DescribeInstances.html"),
    ("describe_listeners", "ListenerArns"): (20, f"{_ELB}/API_DescribeListeners.html"),
    ("describe_load_balancers", "LoadBalancerArns"): (20, f"{_ELB}/API_DescribeLoadBalancers.html"),
    ("describe_load_balancers", "Names"): (20, f"{_ELB}/API_DescribeLoadBalancers.html"),
    ("describe_nat_gateways", "Filters"): (200, f"{_EC2}/API_DescribeNatGateways.html"),
    ("describe_network_interfaces", "Filters"): (200, f"{_EC2}/API_DescribeNetworkInterfaces.html"),
    ("describe_route_tables", "Filters"): (200, f"{_EC2}/API_DescribeRouteTables.html"),
    ("describe_scalable_targets", "ResourceIds"): (
        50,
        f"{_API}/autoscaling/application/APIReference/API_DescribeScalableTargets.html",
    ),
    ("describe_security_groups", "Filters"): (200, f"{_EC2}/API_DescribeSecurityGroups.html"),
    ("describe_service_deployments", "serviceDeploymentArns"): (
        20,
        f"{_API}/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html",
    ),
    ("describe_services", "services"): (10, f"{_API}/AmazonECS/latest/APIReference/API_DescribeServices.html"),
    ("describe_snapshots", "Filters"): (200, f"{_EC2}/API_DescribeSnapshots.html"),
    ("describe_subnets", "Filters"): (200, f"{_EC2}/API_DescribeSubnets.html"),
    ("describe_tags", "ResourceArns"): (20, f"{_ELB}/API_DescribeTags.html"),
    ("describe_target_groups", "TargetGroupArns"): (
        20,
        "AWS's own words: You cannot describe more than '20' target groups at a time",
    ),
    ("describe_tasks", "tasks"): (100, f"{_API}/AmazonECS/latest/APIReference/API_DescribeTasks.html"),
    ("describe_volumes", "Filters"): (200, f"{_EC2}/API_DescribeVolumes.html"),
    ("describe_vpc_endpoints", "Filters"): (200, f"{_EC2}/API_DescribeVpcEndpoints.html"),
    ("get_metric_data", "MetricDataQueries"): (
        500,
        f"{_API}/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html",
    ),
    ("send_command", "InstanceIds"): (50, f"{_SSM}/API_SendCommand.html"),
    ("stop_instances", "InstanceIds"): (1000, f"{_EC2}/API_StopInstances.html (as DescribeInstances)"),
}
"""(operation, argument) → how much of it one call takes, and who says so. Of filters: the values of all together."""


def most(operation: str, argument: str) -> int:
    """How much of this argument one call takes."""
    return LIMITS[operation, argument][0]


def of(operation: str, argument: str, values: Iterable[T]) -> Iterator[list[T]]:
    """The values, as many at a time as one call takes."""
    rest = iter(values)
    while some := list(islice(rest, most(operation, argument))):
        yield some


def split(operation: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of as many calls as it takes: none for an empty list, which AWS would take for "all" or refuse."""
    for name, given in arguments.items():
        if (operation, name) not in LIMITS:
            continue
        parts = list(_filters(operation, given)) if name == "Filters" else list(of(operation, name, given))
        if len(parts) != 1:
            for part in parts:
                yield from split(operation, {**arguments, name: part})
            return
    yield dict(arguments)


def _filters(operation: str, filters: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The filters with fewer values in the longest one, if all have too many; none, when one has no value at all."""
    given = [dict(one) for one in filters]
    sizes = [len(one["Values"]) for one in given]
    if 0 in sizes:
        return
    longest = sizes.index(max(sizes))
    room = most(operation, "Filters") - sum(sizes) + sizes[longest]
    for start in range(0, sizes[longest], max(room, 1)):
        values = list(given[longest]["Values"])[start : start + max(room, 1)]
        yield [*given[:longest], {**given[longest], "Values": values}, *given[longest + 1 :]]


def batched() -> AbstractContextManager[None]:
    """What is asked inside holds no more than a call takes: its arguments are from `of`."""
    return call_marks.going(call_marks.BATCHED)


def answers(client: Any, operation: str, **arguments: Any) -> Iterator[Any]:
    """What AWS answers to each call of an operation without pages."""
    for some in split(operation, arguments):
        with batched():
            answer = getattr(client, operation)(**some)
        yield answer


def narrowed(error: ClientError, gone: frozenset[str], some: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Calls to make instead of one that AWS refused as a whole since one of its ids is gone: each half of its ids.

    A single id that is gone is left out: no call. Raises the error when it says something else, or when the call
    named nothing that could be gone.
    """
    name, ids = next(((name, given) for name, given in some.items() if isinstance(given, list)), ("", []))
    if code_of(error) not in gone or not ids:
        raise error
    if name == "Filters":
        values = ids[0]["Values"]
        return [{**some, name: [{**ids[0], "Values": half}, *ids[1:]]} for half in _halves(values)]
    return [{**some, name: half} for half in _halves(ids)]


def _halves(ids: list[Any]) -> list[list[Any]]:
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]] if middle else []
