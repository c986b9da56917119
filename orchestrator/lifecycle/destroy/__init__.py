"""The steps before and after `terraform destroy`."""

from __future__ import annotations

from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle.destroy import bucket_emptied, nothing_left, unprotected

BEFORE: tuple[AnyStep, ...] = (unprotected.STEP, bucket_emptied.STEP)
AFTER: tuple[AnyStep, ...] = (nothing_left.STEP,)
