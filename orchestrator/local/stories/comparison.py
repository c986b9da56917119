"""What becomes of everything in a stack: compared before and after a trip, without the orchestrator's code.

`comparison.json` holds what the documents claim of each trip (`docs/reference/lifecycle.md` is written from it): the
round trips fail when anything changes otherwise than is claimed there, or when something changes that nobody claims.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator.local.stories.customers import Customers
from orchestrator.local.stories.demo.evidence import OutsideView, index_instances, service_names

FILE = Path(__file__).with_suffix(".json")
Aspects = Mapping[str, Any]
"""Aspect → what it is now; an empty value: there is none."""


class AspectChange(StrEnum):
    """What became of an aspect that there was before."""

    SAME = "the same"
    DIFFERENT = "different"
    GONE = "gone"


ASPECTS: Mapping[str, str] = {
    "rows": "every row of every table",
    "databases": "the tenants' databases and their owners",
    "passwords": "the tenants' database passwords",
    "files": "every file, byte by byte",
    "older-files": "older versions of files",
    "documents": "every document of the search index",
    "network": "ids of VPC, subnets and security groups",
    "database-server": "the database server's name and address",
    "redis-name": "Redis's name and address",
    "redis": "the Redis that held the sessions",
    "instances": "the search indexes' instances",
    "services": "names of cluster and services",
    "tasks": "the tasks",
    "counts": "how many tasks each service should have",
    "autoscaling": "limits of autoscaling",
    "load-balancer": "the load balancer's DNS name",
    "target-groups": "target groups",
    "certificate": "the certificate",
    "validation": "the certificate's validation records",
    "bucket": "the bucket's name",
    "roles": "names of IAM roles",
    "secrets": "the secrets' ARNs",
    "records": "where the hostnames' DNS records point",
    "sites": "what the sites answer",
}
"""What it is, in the documents' words."""


def claimed(trip: str) -> Mapping[str, str]:
    """Aspect → what becomes of it on a trip, as the documents say it."""
    found: Mapping[str, str] = json.loads(FILE.read_text(encoding="utf-8"))[trip]
    return found


def changes(before: Aspects, after: Aspects) -> Mapping[str, str]:
    """What became of everything that there was."""
    return {aspect: _change(value, after.get(aspect)).value for aspect, value in before.items() if value}


def _change(before: Any, after: Any) -> AspectChange:
    if before == after:
        return AspectChange.SAME
    return AspectChange.DIFFERENT if after else AspectChange.GONE


def broken(trip: str, before: Aspects, after: Aspects) -> Iterator[str]:
    """Every claim that isn't so, and every change that is in no claim."""
    said, seen = claimed(trip), changes(before, after)
    for aspect in sorted(said.keys() | seen.keys()):
        if said.get(aspect) != seen.get(aspect):
            words = ASPECTS.get(aspect, aspect)
            yield f"{words}: {seen.get(aspect, 'not seen')}, claimed: {said.get(aspect, 'nothing')}"


def look(customers: Customers) -> Aspects:
    """Everything of `ASPECTS`, now. Passwords as digests."""
    data = customers.fingerprint()
    found = {kind: _part(data, kind) for kind in ("database", "index")}
    return {
        "rows": found["database"],
        "documents": found["index"],
        "files": data["files"],
        **_of_contract(customers.contract),
        **{aspect: read(customers.client, customers.contract) for aspect, read in _READ.items()},
        **_of_visitors(customers),
    }


def _part(data: Mapping[str, str], kind: str) -> Mapping[str, str]:
    return {name: digest for name, digest in data.items() if name.startswith(f"{kind}/")}


def _of_contract(contract: Mapping[str, Any]) -> Aspects:
    tenants = contract["tenants"].items()
    database, redis = contract["database"], contract["redis"]
    return {
        "database-server": (database["instance"], database["host"]),
        "redis-name": (redis["replication_group"], redis["host"]),
        "instances": index_instances(contract),
        "services": (contract["cluster"], service_names(contract)),
        "load-balancer": contract["load_balancer"]["dns_name"],
        "target-groups": {name: one["target_group_arn"] for name, one in tenants},
        "certificate": contract["certificate"]["arn"],
        "bucket": contract["bucket"],
        "secrets": {name: one["secret_arn"] for name, one in tenants},
    }


def _of_visitors(customers: Customers) -> Aspects:
    """By DNS and HTTPS alone."""
    witness = OutsideView(customers.environ)
    names = [one["hostname"] for one in customers.contract["tenants"].values()]
    led = {name: witness.resolve(name) for name in names}
    return {
        "databases": witness.databases(customers.contract),
        "records": {name: alias for name, (alias, _) in led.items()},
        "sites": {name: witness.site(name, some[0]).status for name, (_, some) in led.items() if some},
    }


Client = Callable[[str], Any]


def _passwords(client: Client, contract: Mapping[str, Any]) -> Any:
    manager = client("secretsmanager")
    arns = {name: one["secret_arn"] for name, one in contract["tenants"].items()}
    values = {name: manager.get_secret_value(SecretId=arn)["SecretString"] for name, arn in arns.items()}
    return {name: hashlib.sha256(json.loads(it)["password"].encode()).hexdigest() for name, it in values.items()}


def _older_files(client: Client, contract: Mapping[str, Any]) -> Any:
    found = client("s3").list_object_versions(Bucket=contract["bucket"]).get("Versions", ())
    return sorted(one["Key"] for one in found if not one["IsLatest"])


def _network(client: Client, contract: Mapping[str, Any]) -> Any:
    arn = contract["load_balancer"]["arn"]
    (one,) = client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    return one["VpcId"], sorted(zone["SubnetId"] for zone in one["AvailabilityZones"]), sorted(one["SecurityGroups"])


def _redis(client: Client, contract: Mapping[str, Any]) -> Any:
    name = contract["redis"]["replication_group"]
    (one,) = client("elasticache").describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    return str(one["ReplicationGroupCreateTime"])


def _tasks(client: Client, contract: Mapping[str, Any]) -> Any:
    return sorted(client("ecs").list_tasks(cluster=contract["cluster"], desiredStatus="RUNNING")["taskArns"])


def _counts(client: Client, contract: Mapping[str, Any]) -> Any:
    names = service_names(contract)
    found = client("ecs").describe_services(cluster=contract["cluster"], services=names)["services"]
    return {one["serviceName"]: (one["desiredCount"], one["runningCount"]) for one in found}


def _autoscaling(client: Client, _contract: Mapping[str, Any]) -> Any:
    found = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return [(one["ResourceId"], one["MinCapacity"], one["MaxCapacity"], one.get("SuspendedState")) for one in found]


def _validation(client: Client, contract: Mapping[str, Any]) -> Any:
    said = client("acm").describe_certificate(CertificateArn=contract["certificate"]["arn"])["Certificate"]
    return sorted(
        (one["ResourceRecord"]["Name"], one["ResourceRecord"]["Value"]) for one in said["DomainValidationOptions"]
    )


def _roles(client: Client, contract: Mapping[str, Any]) -> Any:
    pages = client("iam").get_paginator("list_roles").paginate()
    names = (one["RoleName"] for page in pages for one in page["Roles"])
    return sorted(name for name in names if name.startswith(f"{contract['stack']}-"))


_READ: Mapping[str, Callable[[Client, Mapping[str, Any]], Any]] = {
    "passwords": _passwords,
    "older-files": _older_files,
    "network": _network,
    "redis": _redis,
    "tasks": _tasks,
    "counts": _counts,
    "autoscaling": _autoscaling,
    "validation": _validation,
    "roles": _roles,
}
