"""Folders of what a cloud forgets when it goes down: in memory where there is plenty of it, else on the disk.

A database is 300 files, and ext4 looks through the inodes of those that were just deleted before it makes new ones:
nearly a fifth of the processor time under `make faults` (Linux's perf), where databases come and go.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - only the folder that mkdtemp makes below it is used
PLENTY = 4 << 30
"""Bytes that must be free: a server takes some 50 MB. Containers often have 64 MB there."""


def folder(prefix: str, environ: Mapping[str, str] = os.environ) -> Path:
    """A new one, of this user alone. Who has set TMPDIR has chosen the place."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=None if environ.get("TMPDIR") else _in_memory(MEMORY)))


def _in_memory(memory: Path) -> Path | None:
    try:
        free = shutil.disk_usage(memory).free
    except OSError:  # macOS has none
        return None
    return memory if free >= PLENTY and os.access(memory, os.W_OK | os.X_OK) else None
