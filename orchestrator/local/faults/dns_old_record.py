"""The tenant's record leads to a load balancer that is gone, as after destroy and apply."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, change_record, meddled, own_cnames

OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com."


def _lead_astray(console: Console) -> Iterator[Undo]:
    for zone, record in list(own_cnames(console)):
        change_record(console, "UPSERT", zone, {**record, "ResourceRecords": [{"Value": OLD}]})
        yield partial(change_record, console, "UPSERT", zone, record)


FAULT = meddled(
    "dns-old-record",
    "the hostname points to an old load balancer",
    "Terraform Destroy/Apply Cycle",
    _lead_astray,
    restarts=False,
)
