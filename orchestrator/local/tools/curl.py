"""A double of curl that reaches one thing: the Vespa container of its own instance.

It answers GET on localhost:19071 (config server) `/state/v1/health` and localhost:8080/8081 `/state/v1/health` and
`/ApplicationStatus`; other paths are 404. Of curl's options -s -S -f -o and their like are understood or harmless. Left
out: every other host (exit status 6, nothing leaves the machine), methods, headers, `-w`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.local.tools import vespa

WITH_VALUE = frozenset({"-o", "--output", "-m", "--max-time", "--connect-timeout", "--retry", "-H", "-w"})
PORTS = frozenset({19071, 8080, 8081})
PATHS = frozenset({"/state/v1/health", "/ApplicationStatus"})
UP = json.dumps({"status": {"code": "up"}})


def main(arguments: list[str]) -> int:
    """Exit status as curl's: 6 unknown host, 7 refused, 22 an HTTP error under -f."""
    options, urls = _split(arguments)
    fails = any(word == "--fail" or (word[:1] == "-" and word[:2] != "--" and "f" in word) for word in options)
    if len(urls) != 1:
        return _say(2, "this double takes one URL")
    url = urlsplit(urls[0] if "://" in urls[0] else f"http://{urls[0]}")
    if url.hostname not in {"localhost", "127.0.0.1"}:
        return _say(6, f"Could not resolve host: {url.hostname}")
    file = vespa.state_file()
    serves = vespa.state(file) == vespa.RUNNING and url.port in vespa.made(file).ports
    if url.port not in PORTS or not serves:
        return _say(7, f"Failed to connect to {url.hostname} port {url.port or 80}: Connection refused")
    if url.path not in PATHS:
        return _say(22, "The requested URL returned error: 404") if fails else 0
    target = options.get("-o") or options.get("--output")
    if target:
        Path(target).write_text(UP)
    else:
        print(UP)  # noqa: T201
    return 0


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    urls: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in WITH_VALUE:
            options[word] = next(words, "")
        elif word.startswith("-"):
            options[word] = ""
        else:
            urls.append(word)
    return options, urls


def _say(status: int, message: str) -> int:
    print(f"curl: ({status}) {message}", file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
