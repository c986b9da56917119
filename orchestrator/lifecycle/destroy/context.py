"""What the steps around `terraform destroy` work with."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.aws.buckets import Buckets
from orchestrator.aws.leftovers import Leftovers
from orchestrator.aws.protection import Protection
from orchestrator.stack.contract import Stack


@dataclass(frozen=True)
class DestroyContext:
    """Adapters and the contract as it was before."""

    stack: Stack
    protection: Protection
    buckets: Buckets
    leftovers: Leftovers
