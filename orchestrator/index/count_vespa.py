"""The program that counts Vespa's documents, sent to its instance over SSM. It has Python 3.9 alone.

Its word is the port of queries, then `--whole` where every document shall be read. It prints one JSON object: the
number, a digest of the documents and one of their ids (whatever their order), and a sample of the ids' hashes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any, Dict  # noqa: UP035 - Python 3.9

PAGE = 500
MOST = 200_000
"""Documents that are read at most; of more only the number is told."""
SAMPLE = 200
UNKNOWN: Dict[str, Any] = {"documents": None, "digest": "", "keys": "", "sample": []}  # noqa: UP006


def asked(url: str) -> Dict[str, Any]:  # noqa: UP006
    """The JSON answer; empty when it doesn't answer (yet)."""
    done = subprocess.run(["curl", "-s", "-m", "60", url], capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout)) if not done.returncode else {}
    except ValueError:
        return {}


class VespaKeys:
    """Hashes of the documents' ids, each with the number of its chunk: their sum, and the smallest of them."""

    def __init__(self) -> None:
        self.total = 0
        self.smallest: list[int] = []

    def add(self, document: object, chunk: object) -> None:
        """One more. Onyx writes an apostrophe as _ where Vespa takes none."""
        text = json.dumps([str(document).replace("'", "_"), chunk]).encode()
        number = int(hashlib.sha256(text).hexdigest()[:16], 16)
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


def count(port: str, whole: bool) -> Dict[str, Any]:  # noqa: UP006
    """The number of documents and the sums of hashes; no number while Vespa doesn't answer."""
    base = "http://localhost:" + port
    total, found, more, keys = 0, 0, "", VespaKeys()
    while True:
        page = asked(f"{base}/document/v1/?wantedDocumentCount={PAGE}{more}")
        if "documents" not in page:
            return UNKNOWN
        for document in page["documents"]:
            text = json.dumps(document, sort_keys=True).encode()
            total = (total + int(hashlib.sha256(text).hexdigest()[:16], 16)) % 2**64
            fields = document.get("fields", {})
            keys.add(fields.get("document_id", document.get("id")), fields.get("chunk_id"))
        found += len(page["documents"])
        if not page.get("continuation"):
            return {"documents": found, "digest": f"{total:016x}", **keys.told()}
        if found >= MOST and not whole:
            said = asked(base + "/search/?yql=select%20*%20from%20sources%20*%20where%20true&hits=0")
            return {**UNKNOWN, "documents": said.get("root", {}).get("fields", {}).get("totalCount", found)}
        more = "&continuation=" + page["continuation"]


if __name__ == "__main__":
    print(json.dumps(count(sys.argv[1], "--whole" in sys.argv)))  # noqa: T201 - its standard output is the answer
