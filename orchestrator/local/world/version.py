"""Another version of Onyx for a tenant of a world: what `terraform apply` makes of new values, a part at a time.

First the index that the version needs, and revisions of the task definitions; nothing runs with them yet (as with
`-target`). Then the service that background has from Onyx 3 on. Last, when nobody wants to go back, Vespa goes. Each
returns the contract as it is then, and may be called again. Left out: the way down.
"""

from __future__ import annotations

import copy
from typing import Any

import boto3

from orchestrator.local.world.indexes import OF_ONYX, OPENSEARCH, VESPA, opensearch
from orchestrator.local.world.parts import Customer, Shared, WorldClients, WorldNetwork
from orchestrator.local.world.teardown import remove_index
from orchestrator.local.world.tenant import TAGS, OnyxParts, background_family, background_service, register

Contract = dict[str, Any]
Definition = dict[str, Any]


def register_version(
    session: boto3.Session, contract: Contract, tenant: str, onyx: int, *, endpoint: str | None = None
) -> Contract:
    """The index is there, and task definitions of this major version are registered: no service uses them yet."""
    aws, made = WorldClients.of(session, endpoint), copy.deepcopy(contract)
    said, present = made["tenants"][tenant], _newest(aws, tenant)
    if _tag(present) == TAGS[onyx] and set(OF_ONYX[onyx]) <= _kinds(made, tenant):
        return made
    shared, customer = _shared(aws, made, present), _customer(made, tenant, present)
    if OPENSEARCH in OF_ONYX[onyx] and not said.get("index"):
        said["index"] = {OPENSEARCH: opensearch(aws, shared, customer)}
    indexes = {**({VESPA: made["vespa"][tenant]} if tenant in made["vespa"] else {}), **said.get("index", {})}
    given = {one["name"]: one["valueFrom"] for one in _api(present).get("secrets", ())}
    parts = OnyxParts(
        indexes, onyx, said["secret_arn"], said["log_group"], present["taskRoleArn"], given.get("USER_AUTH_SECRET", "")
    )
    register(aws, shared, customer, parts)
    return made


def make_background(
    session: boto3.Session, contract: Contract, tenant: str, *, endpoint: str | None = None
) -> Contract:
    """The service of background is there, with the newest revision of its task definition."""
    aws, made = WorldClients.of(session, endpoint), copy.deepcopy(contract)
    said, present = made["tenants"][tenant], _newest(aws, tenant)
    if not said.get("workers"):
        customer = _customer(made, tenant, present)
        family = background_family(customer)
        said["workers"] = {"background": background_service(aws, _shared(aws, made, present), customer, family)}
    return made


def remove_vespa(session: boto3.Session, contract: Contract, tenant: str, *, endpoint: str | None = None) -> Contract:
    """Its instance and its volume are gone. If that was the runner, the tenant's other index is from now on."""
    aws, made = WorldClients.of(session, endpoint), copy.deepcopy(contract)
    gone = made["vespa"].pop(tenant, None)
    if gone is not None:
        remove_index(aws, gone["instance_id"])
        if made["runner"]["instance_id"] == gone["instance_id"]:
            made["runner"] = {"instance_id": made["tenants"][tenant]["index"][OPENSEARCH]["instance_id"]}
    return made


def _newest(aws: WorldClients, tenant: str) -> Definition:
    found: Definition = aws.ecs.describe_task_definition(taskDefinition=tenant)["taskDefinition"]
    return found


def _api(definition: Definition) -> Definition:
    found: Definition = next(one for one in definition["containerDefinitions"] if one["name"] == "api")
    return found


def _tag(definition: Definition) -> str:
    return str(_api(definition)["image"]).rpartition(":")[2]


def _kinds(contract: Contract, tenant: str) -> set[str]:
    return {*contract["tenants"][tenant].get("index", ()), *({VESPA} if tenant in contract["vespa"] else ())}


def _customer(contract: Contract, tenant: str, present: Definition) -> Customer:
    """By its first Redis database its slot is known."""
    said = {one["name"]: one["value"] for one in _api(present)["environment"]}
    return Customer(tenant, int(said["REDIS_DB_NUMBER"]) // 3, contract["tenants"][tenant]["hostname"])


def _shared(aws: WorldClients, contract: Contract, present: Definition) -> Shared:
    """What the tenants share, as it is found. Of the load balancers nothing is needed."""
    name = contract["stack"]
    vpc = aws.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [f"{name}-vpc"]}])["Vpcs"][0]["VpcId"]
    inside = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    groups = {one["GroupName"]: one["GroupId"] for one in aws.ec2.describe_security_groups(**inside)["SecurityGroups"]}
    service = next(iter(contract["tenants"].values()))["service"]
    placed = aws.ecs.describe_services(cluster=contract["cluster"], services=[service])["services"][0]
    private = placed["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    return Shared(
        name=name,
        region=contract["region"],
        network=WorldNetwork(
            vpc,
            [],
            private,
            {one.removeprefix(f"{name}-"): number for one, number in groups.items()},
        ),
        database_host=contract["database"]["host"],
        redis_host=contract["redis"]["host"],
        redis_secret=contract["redis"]["auth_secret_arn"],
        bucket=contract["bucket"],
        cluster=contract["cluster"],
        execution_role=present["executionRoleArn"],
        instance_profile=f"{name}-vespa",
        balancers=(),
        certificate=contract["certificate"]["arn"],
        log_prefix="",
    )
