"""The tenant's Vespa instance was stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from orchestrator.local.meddling import Console, Undo, meddled


def _stop(console: Console) -> Iterator[Undo]:
    ec2 = console.client("ec2")
    hosts = [said["VESPA_HOST"] for said in console.variables() if said.get("VESPA_HOST")]
    answer = ec2.describe_instances(Filters=[{"Name": "private-ip-address", "Values": hosts}])
    for one in (each for reservation in answer["Reservations"] for each in reservation["Instances"]):
        ids = {"InstanceIds": [one["InstanceId"]]}
        ec2.stop_instances(**ids)
        yield lambda ids=ids: _start(ec2, ids)  # type: ignore[misc]


def _start(ec2: Any, ids: dict[str, list[str]]) -> None:
    """A stop that is under way has to end first."""

    def state() -> str:
        answer = ec2.describe_instances(**ids)
        return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])

    while state() == "stopping":
        time.sleep(0.05)
    ec2.start_instances(**ids)


FAULT = meddled("vespa-stopped", "Vespa's instance is stopped", "Vespa Vector Search Issues", _stop)
