"""The program that counts OpenSearch's documents, sent to its instance over SSM. It has Python 3.9 alone.

Its words: the port, the indexes, the user, the region, the secret with the password and the key in it (empty: the whole
value); then `--whole` where every document shall be read. It prints one JSON object: the number, a digest of the
documents and one of their ids that don't depend on their order, and a sample of the ids' hashes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any, Dict, Optional  # noqa: UP035 - Python 3.9

with suppress(ImportError):  # on an instance it stands above, in the same program
    from orchestrator.index.document_keys import MOST, PAGE, UNKNOWN, DocumentKeys, hashed


def login(user: str, region: str, secret: str, key: str) -> str:
    """A line of curl's configuration: it is given on standard input, where no list of processes shows it."""
    asked = ["aws", "secretsmanager", "get-secret-value", "--region", region, "--secret-id", secret]
    done = subprocess.run(
        [*asked, "--query", "SecretString", "--output", "text"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr.strip()[-400:] or "the password can't be read")
    said = done.stdout.strip()
    password = json.loads(said)[key] if key else said
    return "user = " + json.dumps(user + ":" + password, ensure_ascii=False)


class NodeHere:
    """The node on this instance."""

    def __init__(self, port: str, line: str) -> None:
        self.base = "https://localhost:" + port
        self.line = line

    def ask(self, path: str, body: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:  # noqa: UP006, UP045
        """The JSON answer; empty when it doesn't answer (yet)."""
        words = ["curl", "-sfk", "-m", "60", "-K", "-", self.base + path]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = subprocess.run(words, input=self.line, capture_output=True, text=True, check=False)
        try:
            return dict(json.loads(done.stdout)) if not done.returncode else {}
        except ValueError:
            return {}


def count(node: NodeHere, indexes: str, whole: bool) -> Dict[str, Any]:  # noqa: UP006
    """The number of documents and the sums of hashes; no number while OpenSearch doesn't answer."""
    node.ask("/" + indexes + "/_refresh")
    number = node.ask("/" + indexes + "/_count").get("count")
    if number is None:
        return UNKNOWN
    if number > MOST and not whole:
        return {**UNKNOWN, "documents": number}
    total, found, keys = 0, 0, DocumentKeys()
    page = node.ask("/" + indexes + "/_search?scroll=5m", {"size": PAGE, "sort": ["_doc"]})
    while "hits" in page:
        hits = page["hits"]["hits"]
        for hit in hits:
            total = (total + hashed(json.dumps([hit["_index"], hit["_id"], hit["_source"]], sort_keys=True))) % 2**64
            keys.add(hit["_source"].get("document_id", hit["_id"]), hit["_source"].get("chunk_index"))
        found += len(hits)
        if not hits:
            return {"documents": found, "digest": f"{total:016x}", **keys.told()}
        page = node.ask("/_search/scroll", {"scroll": "5m", "scroll_id": page["_scroll_id"]})
    return UNKNOWN


if __name__ == "__main__":
    node_port, wanted, *access = [word for word in sys.argv[1:] if word != "--whole"]
    node = NodeHere(node_port, login(*access))
    print(json.dumps(count(node, wanted, "--whole" in sys.argv)))  # noqa: T201 - its standard output is the answer
