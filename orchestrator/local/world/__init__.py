"""The example stack's AWS side, built through the API in a moment: what terraform/ makes, without Terraform.

For tests, and for the demo where Terraform can't be had. Leaves out what only Terraform can show (plans, state, drift)
and makes less of the network (one security group for all indexes of a kind, one for all tasks). Like after `terraform
apply`, nothing of the orchestrator's work is there: no tenant database, no DNS record, no Redis token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from orchestrator.local.world.aurora import aurora_server
from orchestrator.local.world.foundation import (
    ADMIN,
    certificate,
    database,
    execution_role,
    file_store,
    hosted_zone,
    instance_profile,
    load_balancers,
    network,
    redis,
)
from orchestrator.local.world.indexes import OF_ONYX, OPENSEARCH, VESPA, indexes
from orchestrator.local.world.parts import NO_SNAPSHOTS, Customer, SeedSnapshots, Shared, WorldClients
from orchestrator.local.world.teardown import tear_down
from orchestrator.local.world.tenant import tenant

__all__ = ["ZONE", "SeedSnapshots", "build", "hosted_zone", "hostname", "tear_down"]

ZONE = "vigilon.app"


def build(
    session: boto3.Session,
    *,
    endpoint: str | None = None,
    name: str = "onyx-prod",
    tenants: Sequence[str] = ("customer-a", "customer-b"),
    zone: str = ZONE,
    hostnames: Mapping[str, str] | None = None,
    log_prefix: str = "/ecs",
    snapshots: SeedSnapshots = NO_SNAPSHOTS,
    provider: str = "route53",
    onyx: Mapping[str, int] | None = None,
    aurora: bool = False,
) -> dict[str, Any]:
    """Make the whole stack; returns the contract (orchestrator/stack/contract.py) that terraform/ would output.

    The zone is looked up in Route 53, and made where it is missing, unless another `provider` has it. The endpoint is
    AWS_ENDPOINT_URL's when not given. `hostnames` are other than the usual ones, by tenant; log groups begin with
    `log_prefix`; with `snapshots` the data begin as they were in them. `onyx` is the major version that a tenant runs,
    where it is another than 2. The database server is an Aurora cluster if asked for, else an instance.
    """
    own = hostnames or {}
    aws = WorldClients.of(session, endpoint)
    customers = [Customer(each, slot, own.get(each) or hostname(each, slot, zone)) for slot, each in enumerate(tenants)]
    if provider == "route53":
        hosted_zone(aws.route53, zone)
    net = network(aws, name, session.region_name)
    server = aurora_server if aurora else database
    admin_secret, database_host = server(aws, name, net, snapshots.database)
    redis_secret, redis_host = redis(aws, name, net, len(tenants))
    certificate_arn = certificate(aws, name, zone, [customer.hostname for customer in customers])
    shared = Shared(
        name=name,
        region=session.region_name,
        network=net,
        database_host=database_host,
        redis_host=redis_host,
        redis_secret=redis_secret,
        bucket=file_store(aws, name, session.region_name),
        cluster=aws.ecs.create_cluster(clusterName=f"{name}-cluster")["cluster"]["clusterName"],
        execution_role=execution_role(aws, name),
        instance_profile=instance_profile(aws, name),
        balancers=load_balancers(aws, name, net, certificate_arn, len(tenants)),
        certificate=certificate_arn,
        log_prefix=log_prefix,
    )
    versions = {each: (onyx or {}).get(each, 2) for each in tenants}
    placed = {
        each.name: indexes(aws, shared, each, OF_ONYX[versions[each.name]], snapshots.indexes.get(each.name))
        for each in customers
    }
    first = placed[tenants[0]]
    return {
        **_contract_of(shared, admin_secret, aurora=aurora),
        "account_id": aws.sts.get_caller_identity()["Account"],
        "runner": {"instance_id": (first.get(VESPA) or first[OPENSEARCH])["instance_id"]},
        "vespa": {name: found[VESPA] for name, found in placed.items() if VESPA in found},
        "dns": {"provider": provider, "zone": zone, "ttl": 60 if provider == "route53" else 600},
        "tenants": {each.name: tenant(aws, shared, each, placed[each.name], versions[each.name]) for each in customers},
    }


def _contract_of(shared: Shared, admin_secret: str, *, aurora: bool) -> dict[str, Any]:
    server = f"{shared.name}-postgres"
    return {
        "schema": 1,
        "stack": shared.name,
        "region": shared.region,
        "cluster": shared.cluster,
        "database": {
            **({"instance": None, "cluster": server} if aurora else {"instance": server}),
            "host": shared.database_host,
            "port": 5432,
            "admin_user": ADMIN,
            "admin_secret_arn": admin_secret,
        },
        "load_balancer": shared.balancers[0].part,
        "certificate": {"arn": shared.certificate},
        "bucket": shared.bucket,
        "redis": {
            "replication_group": f"{shared.name}-redis",
            "host": shared.redis_host,
            "port": 6379,
            "auth_secret_arn": shared.redis_secret,
        },
    }


def hostname(tenant_name: str, slot: int, zone: str = ZONE) -> str:
    """The first tenant has the guide's own name, `demo.vigilon.app`; the others are called after themselves."""
    return f"{'demo' if slot == 0 else tenant_name}.{zone}"
