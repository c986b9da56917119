"""The tenant's Vespa instance was stopped."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, meddled


def _stop(console: Console) -> Iterator[Undo]:
    ec2 = console.client("ec2")
    hosts = [said["VESPA_HOST"] for said in console.variables() if said.get("VESPA_HOST")]
    answer = ec2.describe_instances(Filters=[{"Name": "private-ip-address", "Values": hosts}])
    for one in (each for reservation in answer["Reservations"] for each in reservation["Instances"]):
        ids = {"InstanceIds": [one["InstanceId"]]}
        ec2.stop_instances(**ids)
        yield lambda ids=ids: ec2.start_instances(**ids)  # type: ignore[misc]


FAULT = meddled("vespa-stopped", "Vespa's instance is stopped", "Vespa Vector Search Issues", _stop)
