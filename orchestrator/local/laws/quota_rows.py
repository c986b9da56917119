"""How much of everything an account, a load balancer, a certificate may have: AWS's default quotas, a row each.

What is there already is counted in moto. `code` is the quota's in Service Quotas; empty: it is not told there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.rds.models import rds_backends
from moto.utilities.utils import get_partition

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.core.wire import AwsCall

ELB = "ALB user guide, “Quotas for your Application Load Balancers”"
VPC = "VPC user guide, “Amazon VPC quotas”"
Count = Callable[[AwsCall], int]


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `most` of something; `after` is how many there would be after a call. Refused: `error` and `words`."""

    service: str
    operations: frozenset[str]
    name: str
    most: int
    after: Count
    error: str
    words: str
    source: str
    listed: str = ""
    """The service's code in Service Quotas."""
    code: str = ""
    adjustable: bool = True

    def applied(self, times: int) -> int:
        """What an account may have whose adjustable quotas were raised to so many times AWS's."""
        return self.most * times if self.adjustable else self.most


def _balancer(call: AwsCall) -> Any | None:
    """The application load balancer that a call is about."""
    held = list(elbv2_backends[ACCOUNT][call.region].load_balancers.values())
    said = call.parameters.get("LoadBalancerArn"), call.parameters.get("ListenerArn"), call.parameters.get("RuleArn")
    balancers = (one for one in held if one.type == "application")
    return next((one for one in balancers if said[0] == one.arn or _has(one, said[1], said[2])), None)


def _has(balancer: Any, listener: str | None, rule: str | None) -> bool:
    listeners = list(balancer.listeners.values())
    return any(one.arn == listener or any(each.arn == rule for each in list(one.rules.values())) for one in listeners)


def _rules(balancer: Any) -> Iterator[Any]:
    for listener in list(balancer.listeners.values()):
        yield from list(listener.rules.values())


def _groups(actions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for action in actions:
        several = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
        for one in (action, *several):
            if arn := one.get("TargetGroupArn"):
                yield str(arn)


def _target_groups(call: AwsCall) -> int:
    balancer = _balancer(call)
    if balancer is None:
        return 0
    used = {arn for rule in _rules(balancer) for arn in _groups(each.data for each in rule.actions)}
    return len(used | set(_groups([*call.parameters.get("Actions", ()), *call.parameters.get("DefaultActions", ())])))


def _rule_number(call: AwsCall) -> int:
    balancer = _balancer(call)
    return 1 + sum(not rule.is_default for rule in _rules(balancer)) if balancer else 0


def _listeners(call: AwsCall) -> int:
    balancer = _balancer(call)
    return 1 + len(balancer.listeners) if balancer else 0


def _certificates(call: AwsCall) -> int:
    balancer = _balancer(call)
    if balancer is None:
        return 0
    added = {one["CertificateArn"] for one in call.parameters.get("Certificates", ())}
    defaults = {one.certificate for one in list(balancer.listeners.values())}
    held = {arn for one in list(balancer.listeners.values()) for arn in one.certificates}
    return len((held | added) - defaults)


def _balancers(call: AwsCall) -> int:
    return 1 + sum(
        one.type == "application" for one in list(elbv2_backends[ACCOUNT][call.region].load_balancers.values())
    )


def _all_target_groups(call: AwsCall) -> int:
    return 1 + len(elbv2_backends[ACCOUNT][call.region].target_groups)


def _names(call: AwsCall) -> int:
    return len({call.parameters.get("DomainName"), *call.parameters.get("SubjectAlternativeNames", ())})


def _in_ec2(collection: str) -> Count:
    return lambda call: 1 + len(getattr(ec2_backends[ACCOUNT][call.region], collection))


def _subnets(call: AwsCall) -> int:
    held = [one for zone in list(ec2_backends[ACCOUNT][call.region].subnets.values()) for one in list(zone.values())]
    return 1 + sum(one.vpc_id == call.parameters.get("VpcId") for one in held)


def _nat_gateways(call: AwsCall) -> int:
    """In the zone of the subnet."""
    backend = ec2_backends[ACCOUNT][call.region]
    zones = {one.id: one.availability_zone for held in list(backend.subnets.values()) for one in list(held.values())}
    there = [one for one in list(backend.nat_gateways.values()) if one.state not in {"deleted", "failed"}]
    wanted = zones.get(str(call.parameters.get("SubnetId")))
    return 1 + sum(zones.get(one.subnet_id) == wanted for one in there)


def _instances(call: AwsCall) -> int:
    return 1 + len(rds_backends[ACCOUNT][call.region].databases)


def _snapshots(call: AwsCall) -> int:
    held = rds_backends[ACCOUNT][call.region].database_snapshots
    return 1 + sum(one.snapshot_type == "manual" for one in list(held.values()))


def _roles(call: AwsCall) -> int:
    return 1 + len(iam_backends[ACCOUNT][get_partition(call.region)].roles)


def _policies(call: AwsCall) -> int:
    """Characters of a role's inline policies, without white space."""
    name = call.parameters.get("RoleName")
    role = next(
        (one for one in list(iam_backends[ACCOUNT][get_partition(call.region)].roles.values()) if one.name == name),
        None,
    )
    held: dict[str, Any] = dict(role.policies if role else {})
    held[str(call.parameters.get("PolicyName"))] = call.parameters.get("PolicyDocument")
    return sum(len("".join(str(text).split())) for text in held.values())


def _quota(service: str, operations: str, name: str, most: int, after: Count, **more: Any) -> Quota:
    return Quota(service, frozenset(operations.split()), name, most, after, **more)


ROWS: tuple[Quota, ...] = (
    _quota(
        "elbv2",
        "CreateRule ModifyRule CreateListener ModifyListener",
        "Target Groups per Application Load Balancer",
        100,
        _target_groups,
        error="TooManyUniqueTargetGroupsPerLoadBalancer",
        words="The maximum number of unique target groups per load balancer has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-822D1B1B",
        adjustable=False,
    ),
    _quota(
        "elbv2",
        "CreateRule",
        "Rules per Application Load Balancer",
        100,
        _rule_number,
        error="TooManyRules",
        words="The maximum number of rules has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-7EED9B64",
    ),
    _quota(
        "elbv2",
        "AddListenerCertificates",
        "Certificates per Application Load Balancer",
        25,
        _certificates,
        error="TooManyCertificates",
        words="The maximum number of certificates has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-9365A611",
    ),
    _quota(
        "elbv2",
        "CreateListener",
        "Listeners per Application Load Balancer",
        50,
        _listeners,
        error="TooManyListeners",
        words="The maximum number of listeners has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-B6DF7632",
    ),
    _quota(
        "elbv2",
        "CreateLoadBalancer",
        "Application Load Balancers per Region",
        50,
        _balancers,
        error="TooManyLoadBalancers",
        words="The maximum number of load balancers has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-53DA6B97",
    ),
    _quota(
        "elbv2",
        "CreateTargetGroup",
        "Target Groups per Region",
        3000,
        _all_target_groups,
        error="TooManyTargetGroups",
        words="The maximum number of target groups has been reached",
        source=ELB,
        listed="elasticloadbalancing",
        code="L-B22855CB",
    ),
    _quota(
        "acm",
        "RequestCertificate",
        "Domain names per ACM certificate",
        10,
        _names,
        error="LimitExceededException",
        words="Error: you have reached the limit of 10 domain names in a certificate.",
        source="ACM user guide, “Quotas”",
        listed="acm",
        code="L-FB94F0B0",
    ),
    _quota(
        "ec2",
        "CreateVpc",
        "VPCs per Region",
        5,
        _in_ec2("vpcs"),
        error="VpcLimitExceeded",
        words="The maximum number of VPCs has been reached.",
        source=VPC,
        listed="vpc",
        code="L-F678F1CE",
    ),
    _quota(
        "ec2",
        "CreateInternetGateway",
        "Internet gateways per Region",
        5,
        _in_ec2("internet_gateways"),
        error="InternetGatewayLimitExceeded",
        words="The maximum number of internet gateways has been reached.",
        source=VPC,
        listed="vpc",
        code="L-A4707A72",
    ),
    _quota(
        "ec2",
        "AllocateAddress",
        "EC2-VPC Elastic IPs",
        5,
        _in_ec2("addresses"),
        error="AddressLimitExceeded",
        words="The maximum number of addresses has been reached.",
        source="EC2 user guide, “Elastic IP addresses”",
        listed="ec2",
        code="L-0263D0A3",
    ),
    _quota(
        "ec2",
        "CreateNatGateway",
        "NAT gateways per Availability Zone",
        5,
        _nat_gateways,
        error="NatGatewayLimitExceeded",
        words="The maximum number of NAT Gateways has been reached.",
        source=VPC,
        listed="vpc",
        code="L-FE5A380F",
    ),
    _quota(
        "ec2",
        "CreateSubnet",
        "Subnets per VPC",
        200,
        _subnets,
        error="SubnetLimitExceeded",
        words="The maximum number of subnets has been reached.",
        source=VPC,
        listed="vpc",
        code="L-407747CB",
    ),
    _quota(
        "rds",
        "CreateDBInstance RestoreDBInstanceFromDBSnapshot",
        "DB instances",
        40,
        _instances,
        error="InstanceQuotaExceeded",
        words="Cannot create more than 40 DB instances",
        source="RDS user guide, “Quotas in Amazon RDS”",
        listed="rds",
        code="L-7B6409FD",
    ),
    _quota(
        "rds",
        "CreateDBSnapshot",
        "Manual DB instance snapshots",
        100,
        _snapshots,
        error="SnapshotQuotaExceeded",
        words="Cannot create more than 100 manual snapshots",
        source="RDS user guide, “Quotas in Amazon RDS”",
        listed="rds",
        code="L-272F1212",
    ),
    _quota(
        "iam",
        "CreateRole",
        "Roles per account",
        1000,
        _roles,
        error="LimitExceeded",
        words="Cannot exceed quota for RolesPerAccount: 1000",
        source="IAM user guide, “IAM and AWS STS quotas”",
    ),
    _quota(
        "iam",
        "PutRolePolicy",
        "Characters of a role's inline policies",
        10_240,
        _policies,
        error="LimitExceeded",
        words="Maximum policy size of 10240 bytes exceeded for the role",
        source="IAM user guide, “IAM and AWS STS quotas”",
        adjustable=False,
    ),
)
