"""Vespa's container stopped on the tenant's instance (`docker stop vespa`)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local import instance
from orchestrator.local.meddling import Console, Undo, meddled
from orchestrator.local.tools import vespa


def _stop(console: Console) -> Iterator[Undo]:
    hosts = [said["VESPA_HOST"] for said in console.variables() if said.get("VESPA_HOST")]
    answer = console.client("ec2").describe_instances(Filters=[{"Name": "private-ip-address", "Values": hosts}])
    for one in (each for reservation in answer["Reservations"] for each in reservation["Instances"]):
        file = instance.containers(console.cloud, one["InstanceId"])
        file.parent.mkdir(parents=True, exist_ok=True)
        vespa.change(file, vespa.EXITED)
        yield lambda file=file: vespa.change(file, vespa.RUNNING)  # type: ignore[misc]


FAULT = meddled("vespa-container-down", "Vespa's container is stopped", "Vespa Vector Search Issues", _stop)
