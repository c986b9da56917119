"""The kinds of resources that can be found again in AWS when an interrupted Terraform has lost sight of them.

They are all that terraform/ is made of, but for `SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resource, and the attributes by which one is looked up.

    `name` is the attribute that no two may share in an account and region (`id`: it has none, and only what is in the
    state has one); `wants` are others that must be known, `also` those that are compared where they are. `within` name
    what it is a part of. `alone`: AWS refuses a second one, so another's is in the way.

    `ready` are the statuses in which a cut-off create has become what it should be, `coming` those that lead there;
    without any, it is complete as soon as it is there.
    """

    name: str = ""
    wants: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    alone: bool = False
    tagged: bool = True
    ready: frozenset[str] = frozenset()
    coming: frozenset[str] = frozenset()

    @property
    def known_first(self) -> tuple[str, ...]:
        """What the plan must know, or there is nothing to look for yet."""
        named = (self.name,) if self.name and self.name != "id" else ()
        return (*named, *self.wants, *self.within)


def _unique(name: str, ready: str = "", coming: tuple[str, ...] = ()) -> ResourceKind:
    return ResourceKind(name, alone=True, ready=frozenset([ready] if ready else ()), coming=frozenset(coming))


def _part(*of: str, wants: tuple[str, ...] = (), tagged: bool = False) -> ResourceKind:
    return ResourceKind(wants=wants, within=of, alone=True, tagged=tagged)


_RULE = ResourceKind(
    within=("security_group_id",),
    wants=("ip_protocol", "from_port", "to_port", "cidr_ipv4", "cidr_ipv6", "referenced_security_group_id"),
    also=("prefix_list_id",),
    alone=True,
)
KINDS: Mapping[str, ResourceKind] = {
    "aws_acm_certificate": ResourceKind(wants=("domain_name",), also=("subject_alternative_names",)),
    "aws_cloudwatch_log_group": _unique("name"),
    "aws_db_instance": ResourceKind(
        "identifier",
        alone=True,
        ready=frozenset({"available", "storage-optimization"}),
        coming=frozenset(
            {"creating", "backing-up", "modifying", "rebooting", "configuring-enhanced-monitoring", "upgrading"}
        ),
    ),
    "aws_db_subnet_group": _unique("name"),
    "aws_ebs_volume": ResourceKind(
        wants=("availability_zone", "size"), ready=frozenset({"available", "in-use"}), coming=frozenset({"creating"})
    ),
    "aws_ecs_cluster": _unique("name", "ACTIVE", ("PROVISIONING",)),
    "aws_ecs_service": ResourceKind(wants=("name",), within=("cluster",), alone=True),
    "aws_ecs_task_definition": ResourceKind(wants=("family",)),
    "aws_eip": ResourceKind(),
    "aws_elasticache_replication_group": _unique("replication_group_id", "available", ("creating", "modifying")),
    "aws_elasticache_subnet_group": _unique("name"),
    "aws_iam_instance_profile": _unique("name"),
    "aws_iam_role": _unique("name"),
    "aws_iam_role_policy": _part("role", wants=("name",)),
    "aws_iam_role_policy_attachment": _part("role", wants=("policy_arn",)),
    "aws_instance": ResourceKind(
        "id", within=("subnet_id",), ready=frozenset({"running"}), coming=frozenset({"pending"})
    ),
    "aws_internet_gateway": ResourceKind(),
    "aws_lb": _unique("name", "active", ("provisioning",)),
    "aws_lb_listener": _part("load_balancer_arn", wants=("port",), tagged=True),
    "aws_lb_listener_rule": _part("listener_arn", wants=("priority",), tagged=True),
    "aws_lb_target_group": _unique("name"),
    "aws_nat_gateway": ResourceKind(
        within=("subnet_id",), ready=frozenset({"available"}), coming=frozenset({"pending"})
    ),
    "aws_route": _part("route_table_id", wants=("destination_cidr_block", "gateway_id", "nat_gateway_id")),
    "aws_route_table": ResourceKind(within=("vpc_id",)),
    "aws_route_table_association": _part("route_table_id", "subnet_id"),
    "aws_s3_bucket": _unique("bucket"),
    "aws_secretsmanager_secret": ResourceKind(also=("name", "name_prefix")),
    "aws_security_group": ResourceKind(wants=("name",), within=("vpc_id",)),
    "aws_subnet": ResourceKind(wants=("cidr_block",), within=("vpc_id",)),
    "aws_volume_attachment": ResourceKind(
        wants=("device_name",),
        within=("volume_id", "instance_id"),
        alone=True,
        tagged=False,
        ready=frozenset({"attached"}),
        coming=frozenset({"attaching", "busy"}),
    ),
    "aws_vpc": ResourceKind(wants=("cidr_block",)),
    "aws_vpc_endpoint": ResourceKind(
        wants=("service_name",),
        within=("vpc_id",),
        ready=frozenset({"available"}),
        coming=frozenset({"pending", "pendingacceptance"}),
    ),
    "aws_vpc_security_group_egress_rule": _RULE,
    "aws_vpc_security_group_ingress_rule": _RULE,
}

SETTINGS: Mapping[str, str] = {
    "aws_acm_certificate_validation": "nothing in AWS: it only waits",
    "aws_lb_listener_certificate": "a setting of its listener: to add the same certificate again changes nothing",
    "aws_s3_bucket_public_access_block": "a setting of its bucket, which is put again",
    "aws_s3_bucket_versioning": "a setting of its bucket, which is put again",
    "aws_secretsmanager_secret_version": "a value, which is drawn again: an import would write it into the state",
}
"""Kinds that are recreated instead, with the same result."""
