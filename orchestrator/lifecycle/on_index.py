"""The program that runs on an index's instance, sent there over SSM by `lifecycle.index`. It has Python 3.9 alone.

Modes: `look` (does the container run), `count` (its documents, and a digest that doesn't depend on their order),
`where` (the EBS volume it is on), `stop`, `start`. It prints one JSON object.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any, Dict, Tuple  # noqa: UP035 - Python 3.9

CONTAINER = "vespa"
PAGE = 500
MOST = 200_000
"""Documents that are read at most; of more only the number is told."""
DATA = "/opt/vespa/var"
HELD = '{{range .Mounts}}{{if eq .Destination "' + DATA + '"}}{{.Source}}{{end}}{{end}}'
"""Where on the instance the container's data are."""
STOPPING = "120"
"""Seconds Vespa has to write everything down."""


def run(*argv: str) -> Tuple[int, str, str]:  # noqa: UP006
    """Status, output, errors."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr.strip()[-400:]


def docker(*argv: str) -> str:
    """Its output; exits with its complaint when it fails."""
    status, output, errors = run("docker", *argv)
    if status:
        sys.exit(errors or "docker failed")
    return output.strip()


def running() -> bool:
    """Whether the container runs."""
    return docker("inspect", "-f", "{{.State.Running}}", CONTAINER) == "true"


def asked(url: str) -> Dict[str, Any]:  # noqa: UP006
    """The JSON answer; empty when it doesn't answer (yet)."""
    status, output, _ = run("curl", "-s", "-m", "60", url)
    try:
        return dict(json.loads(output)) if not status else {}
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


def where() -> str:
    """The volume's id; empty where that can't be told. EBS says it as the serial number of an NVMe device."""
    try:
        _, held, _ = run("docker", "inspect", "-f", HELD, CONTAINER)
        _, device, _ = run("findmnt", "-n", "-o", "SOURCE", "-T", held.strip() or DATA)
        _, serials, _ = run("lsblk", "-n", "-s", "-o", "SERIAL", device.strip())
    except FileNotFoundError:  # of a small system
        return ""
    found = [one.strip() for one in serials.splitlines() if one.strip().startswith("vol")]
    return "vol-" + found[0][3:].lstrip("-") if found else ""


def main() -> None:
    """One mode, one JSON line."""
    mode, port = sys.argv[1], sys.argv[2]
    if mode == "stop":
        docker("stop", "-t", STOPPING, CONTAINER)
        run("sync")
    elif mode == "start":
        docker("start", CONTAINER)
    answer = count(port) if mode == "count" else {"volume": where()} if mode == "where" else {"running": running()}
    print(json.dumps(answer))  # noqa: T201 - its standard output is the answer


if __name__ == "__main__":
    main()
