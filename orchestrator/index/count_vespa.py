"""The program that counts Vespa's documents, sent to its instance over SSM. It has Python 3.9 alone.

Its word is the port of queries. It prints one JSON object: the number, and a digest that doesn't depend on their order.
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


def asked(url: str) -> Dict[str, Any]:  # noqa: UP006
    """The JSON answer; empty when it doesn't answer (yet)."""
    done = subprocess.run(["curl", "-s", "-m", "60", url], capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout)) if not done.returncode else {}
    except ValueError:
        return {}


def count(port: str) -> Dict[str, Any]:  # noqa: UP006
    """The number of documents and the sum of their hashes; no number while Vespa doesn't answer."""
    base = "http://localhost:" + port
    total, found, more = 0, 0, ""
    while True:
        page = asked(f"{base}/document/v1/?wantedDocumentCount={PAGE}{more}")
        if "documents" not in page:
            return {"documents": None, "digest": ""}
        for document in page["documents"]:
            text = json.dumps(document, sort_keys=True).encode()
            total = (total + int(hashlib.sha256(text).hexdigest()[:16], 16)) % 2**64
        found += len(page["documents"])
        if not page.get("continuation"):
            return {"documents": found, "digest": f"{total:016x}"}
        if found >= MOST:
            said = asked(base + "/search/?yql=select%20*%20from%20sources%20*%20where%20true&hits=0")
            return {"documents": said.get("root", {}).get("fields", {}).get("totalCount", found), "digest": ""}
        more = "&continuation=" + page["continuation"]


if __name__ == "__main__":
    print(json.dumps(count(sys.argv[1])))  # noqa: T201 - its standard output is the answer
