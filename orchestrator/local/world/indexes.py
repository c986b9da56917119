"""A tenant's search indexes: an instance for each, with a volume of its own that outlasts it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.local.world.foundation import secret, tags
from orchestrator.local.world.parts import Customer, Shared, WorldClients

VESPA, OPENSEARCH = "vespa", "opensearch"
OF_ONYX: Mapping[int, tuple[str, ...]] = {2: (VESPA,), 3: (VESPA, OPENSEARCH), 4: (OPENSEARCH,)}
"""What each major version of Onyx needs."""
_AMI = "ami-0abcdef1234567890"
_VESPA_USER_DATA = """#!/bin/bash
docker run --detach --name vespa --hostname vespa-container --restart unless-stopped \\
  --env VESPA_SKIP_UPGRADE_CHECK=true \\
  --publish 8081:8081 --publish 19071:19071 \\
  --volume /opt/vespa/var:/opt/vespa/var --volume /opt/vespa/logs:/opt/vespa/logs \\
  vespaengine/vespa:8.609.39
"""
_OPENSEARCH_USER_DATA = """#!/bin/bash
aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text > /etc/opensearch.env
docker run --detach --name opensearch --hostname opensearch --restart unless-stopped \\
  --env discovery.type=single-node --env 'OPENSEARCH_JAVA_OPTS=-Xms2g -Xmx2g' \\
  --env-file /etc/opensearch.env --ulimit memlock=-1:-1 --ulimit nofile=65536:65536 \\
  --publish 9200:9200 --volume /opt/opensearch/data:/usr/share/opensearch/data \\
  opensearchproject/opensearch:3.6.0
"""
"""The ends of what terraform/ gives the instances."""

PlacedByKind = Mapping[str, dict[str, Any]]
"""By kind, an index as the contract has it."""


def indexes(
    aws: WorldClients, shared: Shared, customer: Customer, kinds: Sequence[str], snapshot: str | None = None
) -> PlacedByKind:
    """One instance for each kind that the tenant has. The snapshot is Vespa's."""
    found: dict[str, dict[str, Any]] = {}
    if VESPA in kinds:
        found[VESPA] = _vespa(aws, shared, customer, snapshot)
    if OPENSEARCH in kinds:
        found[OPENSEARCH] = opensearch(aws, shared, customer)
    return found


def _vespa(aws: WorldClients, shared: Shared, customer: Customer, snapshot: str | None) -> dict[str, Any]:
    """The first tenant's has the guide's name and is the runner."""
    name = f"{shared.name}-vespa" if customer.slot == 0 else f"{shared.name}-vespa-{customer.name}"
    made = _instance(aws, shared, name, (VESPA, _VESPA_USER_DATA, snapshot))
    return {**made, "port": 8081, "config_port": 19071}


def opensearch(aws: WorldClients, shared: Shared, customer: Customer) -> dict[str, Any]:
    """As the contract has it: its admin's secret, and its instance."""
    password = f"{secrets.token_urlsafe(24)}-aA1"  # the image wants signs of every kind
    login = json.dumps({"username": "admin", "password": password})
    arn = secret(aws, shared.name, f"opensearch-{customer.name}", login)
    name = f"{shared.name}-opensearch-{customer.name}"
    made = _instance(aws, shared, name, (OPENSEARCH, _OPENSEARCH_USER_DATA.format(secret=arn), None))
    return {**made, "port": 9200, "secret_arn": arn}


def _instance(aws: WorldClients, shared: Shared, name: str, of_index: tuple[str, str, str | None]) -> dict[str, Any]:
    """`of_index`: its kind, what starts it, the snapshot it begins with."""
    kind, user_data, snapshot = of_index
    instance = aws.ec2.run_instances(
        ImageId=_AMI,
        InstanceType="t3.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=shared.network.private[0],
        SecurityGroupIds=[shared.network.groups[kind]],
        IamInstanceProfile={"Name": shared.instance_profile},
        MetadataOptions={"HttpTokens": "required"},
        UserData=user_data,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags(shared.name, name)}],
    )["Instances"][0]
    _volume(aws, shared, instance["InstanceId"], f"{name}-index", snapshot)
    return {"instance_id": instance["InstanceId"], "host": instance["PrivateIpAddress"]}


def _volume(aws: WorldClients, shared: Shared, instance: str, name: str, snapshot: str | None) -> None:
    """The index lives on a volume of its own and outlasts its instance."""
    volume = aws.ec2.create_volume(
        AvailabilityZone=f"{shared.region}a",
        Size=50,
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags(shared.name, name)}],
        **({"SnapshotId": snapshot} if snapshot else {}),
    )["VolumeId"]
    aws.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
