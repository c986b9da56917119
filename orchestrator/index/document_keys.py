"""What the programs that count documents share: sent to an instance before either, in one program (Python 3.9 alone).

The proof of a copy compares the keys that one found in Vespa with those that the other found in OpenSearch.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict  # noqa: UP035 - Python 3.9

PAGE = 500
MOST = 200_000
"""Documents that are read at most; of more only the number is told."""
SAMPLE = 200
UNKNOWN: Dict[str, Any] = {"documents": None, "digest": "", "keys": "", "sample": []}  # noqa: UP006


def hashed(text: str) -> int:
    """64 bits of it."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)


class DocumentKeys:
    """Hashes of the documents' ids, each with the number of its chunk: their sum, and the smallest of them."""

    def __init__(self) -> None:
        self.total = 0
        self.smallest: list[int] = []

    def add(self, document: object, chunk: object) -> None:
        """One more. Onyx writes an apostrophe as _ where Vespa takes none."""
        number = hashed(json.dumps([str(document).replace("'", "_"), chunk]))
        self.total = (self.total + number) % 2**64
        self.smallest.append(number)
        if len(self.smallest) > 100 * SAMPLE:
            self.smallest = sorted(self.smallest)[:SAMPLE]

    def told(self) -> Dict[str, Any]:  # noqa: UP006
        """As it is printed."""
        return {
            "keys": f"{self.total:016x}",
            "sample": [f"{one:016x}" for one in sorted(self.smallest)[:SAMPLE]],
        }
