"""Where the backups of a test's stack are: their bucket's name has a random part, and is nobody's to foretell."""

from __future__ import annotations

import re
from typing import Any


def vault_of(s3: Any, stack: str = "onyx-prod") -> str:
    """The one bucket that is called as the stack's backups are; empty: there is none."""
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    found = [name for name in names if re.fullmatch(rf"{stack}-backups-123456789012-[0-9a-f]{{8}}", name)]
    assert len(found) < 2, found
    return found[0] if found else ""
