"""The program that counts Vespa's documents, sent to its instance over SSM. It has Python 3.9 alone.

Its word is the port of queries, then `--whole` where every document shall be read. It prints one JSON object: the
number, a digest of the documents and one of their ids (whatever their order), and a sample of the ids' hashes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any, Dict  # noqa: UP035 - Python 3.9

with suppress(ImportError):  # on an instance it stands above, in the same program
    from orchestrator.index.document_keys import MOST, PAGE, UNKNOWN, DocumentKeys, hashed


def asked(url: str) -> Dict[str, Any]:  # noqa: UP006
    """The JSON answer; empty when it doesn't answer (yet)."""
    done = subprocess.run(["curl", "-s", "-m", "60", url], capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout)) if not done.returncode else {}
    except ValueError:
        return {}


def count(port: str, whole: bool) -> Dict[str, Any]:  # noqa: UP006
    """The number of documents and the sums of hashes; no number while Vespa doesn't answer."""
    base = "http://localhost:" + port
    total, found, more, keys = 0, 0, "", DocumentKeys()
    while True:
        page = asked(f"{base}/document/v1/?wantedDocumentCount={PAGE}{more}")
        if "documents" not in page:
            return UNKNOWN
        for document in page["documents"]:
            total = (total + hashed(json.dumps(document, sort_keys=True))) % 2**64
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
