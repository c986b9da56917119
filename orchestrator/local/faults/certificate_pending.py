"""The certificate was made anew and is not issued: its validation records are in no zone.

Left out: the load balancer shows the old one all the same, where AWS would have refused the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from moto.acm.models import acm_backends

from orchestrator.local.core.cloud import ACCOUNT, REGION
from orchestrator.local.faults.manual_changes import Console, Undo, meddled, withdraw_validations


def _unissue(console: Console) -> Iterator[Undo]:
    yield from withdraw_validations(console)
    for bundle in list(acm_backends[ACCOUNT][REGION]._certificates.values()):
        if bundle.status == "ISSUED":
            bundle.status = "PENDING_VALIDATION"
            setattr(bundle, "found", None)  # noqa: B010 - an attribute of dns/moto_acm.py
            yield partial(setattr, bundle, "status", "ISSUED")


FAULT = meddled(
    "certificate-pending",
    "the certificate is not issued",
    "Terraform Destroy/Apply Cycle",
    _unissue,
    per_tenant=False,
    restarts=False,
)
