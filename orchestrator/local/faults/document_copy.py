"""What holds up Onyx 3's copy of the documents: its lock, or OpenSearch that takes none.

Felt in onyx/copying.py, where the task runs.
"""

from __future__ import annotations

from orchestrator.local.faults import Fault

FAULTS = (
    Fault("copy-stalled", "Onyx 3's copy of the documents does not get its lock"),
    Fault("copy-failing", "Onyx 3's copy of the documents fails at every batch"),
)
