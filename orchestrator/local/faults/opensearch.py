"""What can go wrong with a tenant's OpenSearch: its instance, its container, its port, its data, its password."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from orchestrator.local.core.cloud import REGION
from orchestrator.local.faults import Fault
from orchestrator.local.faults.manual_changes import (
    Console,
    Undo,
    change_container,
    close_port,
    instances,
    meddled,
    stop_instances,
)
from orchestrator.local.faults.revisions import change_definition, set_variable
from orchestrator.local.ssm import instance
from orchestrator.local.ssm.tools import containers

HOST = "OPENSEARCH_HOST"
PORT = 9200


def _container(state: str) -> Callable[[Console], Iterator[Undo]]:
    return lambda console: change_container(console, state, containers.OPENSEARCH)


def _stop(console: Console) -> Iterator[Undo]:
    yield stop_instances(console, instances(console, HOST))


def _close(console: Console) -> Iterator[Undo]:
    answer = console.client("ec2").describe_instances(InstanceIds=instances(console, HOST))
    found = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
    groups = {group["GroupId"] for one in found for group in one.get("SecurityGroups", ())}
    yield from close_port(console, sorted(groups), PORT)


def _written(name: str, text: str) -> Callable[[Console], Iterator[Undo]]:
    """A file beside the node's data, which it looks at."""

    def change(console: Console) -> Iterator[Undo]:
        for one in instances(console, HOST):
            file: Path = instance.data(console.cloud, one, REGION) / "data" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            yield partial(file.unlink, missing_ok=True)

    return change


def _another_password(console: Console) -> Iterator[Undo]:
    """Somebody rotates the secret; the node keeps the password of its first start."""
    secrets = console.client("secretsmanager")
    for made in console.definitions():
        named = [one for container in made["containerDefinitions"] for one in container.get("secrets", ())]
        places = {one["valueFrom"] for one in named if one["name"] == "OPENSEARCH_ADMIN_PASSWORD"}
        for arn in sorted({":".join(place.split(":")[:7]) for place in places}):
            before = secrets.get_secret_value(SecretId=arn)["SecretString"]
            other = json.dumps({**json.loads(before), "password": "Another-0ne-aA1"})
            secrets.put_secret_value(SecretId=arn, SecretString=other)
            yield partial(secrets.put_secret_value, SecretId=arn, SecretString=before)


def _other_host(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable(HOST, lambda _host: "10.0.10.251"))


def _fault(name: str, title: str, change: Callable[[Console], Iterator[Undo]], *, restarts: bool = True) -> Fault:
    return meddled(f"opensearch-{name}", title, "", change, restarts=restarts)


FAULTS = (
    _fault("container-down", "OpenSearch's container is stopped", _container(containers.EXITED)),
    _fault("container-missing", "OpenSearch's container was removed", _container(containers.ABSENT)),
    _fault("image-missing", "OpenSearch's image was never pulled", _container(containers.UNPULLED)),
    _fault("unhealthy", "OpenSearch's REST API does not answer", _container(containers.SILENT)),
    _fault("stopped", "OpenSearch's instance is stopped", _stop),
    _fault("port-closed", "OpenSearch's security group does not open 9200", _close),
    _fault("other-host", "OPENSEARCH_HOST is an old instance's", _other_host, restarts=False),
    _fault("damaged", "a shard of OpenSearch's index is damaged", _written("shard.damaged", "")),
    _fault("disk-full", "OpenSearch's disk is full", _written("disk.percent", "97"), restarts=False),
    _fault("another-password", "OpenSearch's secret was rotated, the node was not", _another_password),
)
