"""RDS's words for the state of a database server, and what each means for who wants to use it.

Source: the RDS and Aurora user guides, "Viewing DB instance status" and "Viewing DB cluster status".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

USABLE = frozenset(
    {"available", "backing-up", "configuring-enhanced-monitoring", "storage-initialization", "storage-optimization"}
)
"""It takes connections. One that was restored loads its blocks for hours (`storage-initialization`), and works."""

COMING = frozenset(
    {
        "backing-up",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "converting-to-vpc",
        "creating",
        "failing-over",
        "maintenance",
        "migrating",
        "modifying",
        "moving-to-vpc",
        "preparing-data-migration",
        "promoting",
        "rebooting",
        "renaming",
        "resetting-master-credentials",
        "scaling-compute",
        "scaling-storage",
        "starting",
        "storage-config-upgrade",
        "storage-initialization",
        "update-iam-db-auth",
        "upgrading",
    }
)
"""These end in `available` by themselves."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A status that doesn't end by itself. `fix` is a format: {name}, {start}, {events}, {more} (GiB), {key}."""

    cause: str
    fix: str


_UNLOCK = (
    "make its KMS key usable again: `aws kms enable-key --key-id {key}` (before that, where it is scheduled for "
    "deletion: `aws kms cancel-key-deletion --key-id {key}`), or give the key its policy and grants back; then: "
)
_LOOK = "{events}"
OUTAGES: Mapping[str, Outage] = {
    "stopped": Outage("it is stopped", "{start}"),
    "stopping": Outage("it is stopping", "wait until it is stopped, then: {start}"),
    "without-writer": Outage(
        "the cluster has no instance that writes",
        "give the cluster an instance (aws_rds_cluster_instance); terraform apply",
    ),
    "storage-full": Outage(
        "its storage is full: it accepts no writes",
        "aws rds modify-db-instance --db-instance-identifier {name} --allocated-storage {more} --apply-immediately",
    ),
    "delete-precheck": Outage(
        "RDS checks whether it can be deleted, then deletes it", "terraform apply, once it is gone"
    ),
    "deleting": Outage(
        "it is being deleted", "terraform apply, once it is gone (its last snapshot: aws rds describe-db-snapshots)"
    ),
    "inaccessible-encryption-credentials-recoverable": Outage(
        "RDS can't use the KMS key that its storage is encrypted with (disabled, to be deleted, or no longer granted); "
        "after seven days like this only a backup brings it back",
        _UNLOCK + "`{start}`",
    ),
    "inaccessible-encryption-credentials": Outage(
        "RDS couldn't use the KMS key that its storage is encrypted with for seven days, and has given the server up",
        _UNLOCK + "`orchestrate restore`",
    ),
    "incompatible-network": Outage(
        "RDS can't put it into its network (no free address in the subnets, or a subnet or the VPC is gone)",
        "free addresses in its subnets, or bring them back, then: `{start}`",
    ),
    "incompatible-option-group": Outage(
        "RDS can't apply a change of its option group",
        "take the last change of the option group back (terraform apply), then reboot it",
    ),
    "incompatible-parameters": Outage(
        "it can't start with the values in its parameter group",
        "take the last change of its parameter group back (`{events}` says which), then: `aws rds reboot-db-instance "
        "--db-instance-identifier {name}`",
    ),
    "incompatible-create": Outage("it was created with something that RDS can't do", _LOOK),
    "incompatible-restore": Outage(
        "RDS can't restore it as it was asked to", "restore from another snapshot: `orchestrate restore`"
    ),
    "restore-error": Outage(
        "RDS failed while restoring it", "restore from another snapshot, or to another time: `orchestrate restore`"
    ),
    "insufficient-capacity": Outage(
        "AWS has no capacity for its class in its zone",
        "wait and start it again, or give it another class (instance_class) in Terraform",
    ),
    "cloning-failed": Outage("RDS failed while cloning the cluster", _LOOK),
    "migration-failed": Outage("RDS failed while moving the data of an instance into the cluster", _LOOK),
    "failed": Outage(
        "RDS has given it up, and can't bring it back",
        "restore from the last backup: `orchestrate restore` (or to RDS's latest restorable time)",
    ),
}
STOPPED = frozenset({"stopped", "stopping"})
"""Somebody stopped it: that is how a paused stack is."""

UNREACHABLE = OUTAGES.keys() | {"", "creating", "rebooting", "starting"}
"""A server that can't be asked: that is known before anybody waits for its answer."""
