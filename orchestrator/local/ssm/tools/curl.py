"""A double of curl that reaches one thing: the Vespa container of its own instance.

It speaks to localhost:19071 (config server) and localhost:8080/8081 (vespa_api.py says what answers there). Of curl's
options -X, -d (also `@-`: standard input), -s -S -f -o and their like are understood or harmless. Left out: every other
host (exit status 6, nothing leaves the machine), headers, `-w`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.local.ssm.tools import vespa, vespa_api

DATA = ("-d", "--data", "--data-binary", "--data-raw")
WITH_VALUE = frozenset(
    {"-o", "--output", "-m", "--max-time", "--connect-timeout", "--retry", "-H", "--header", "-w", "-X", "--request"}
) | {*DATA}
PORTS = frozenset({19071, 8080, 8081})


def main(arguments: list[str]) -> int:
    """Exit status as curl's: 6 unknown host, 7 refused, 22 an HTTP error under -f."""
    options, urls = _split(arguments)
    fails = any(word == "--fail" or (word[:1] == "-" and word[:2] != "--" and "f" in word) for word in options)
    if len(urls) != 1:
        return _say(2, "this double takes one URL")
    url = urls[0] if "://" in urls[0] else f"http://{urls[0]}"
    place = urlsplit(url)
    if place.hostname not in {"localhost", "127.0.0.1"}:
        return _say(6, f"Could not resolve host: {place.hostname}")
    file = vespa.state_file()
    serves = vespa.daemon_runs(file) and vespa.state(file) == vespa.RUNNING and place.port in vespa.made(file).ports
    if place.port not in PORTS or not serves:
        return _say(7, f"Failed to connect to {place.hostname} port {place.port or 80}: Connection refused")
    body = next((options[name] for name in DATA if name in options), None)
    method = options.get("-X") or options.get("--request") or ("GET" if body is None else "POST")
    answer = vespa_api.answer(method, url, sys.stdin.read() if body == "@-" else body or "")
    if answer.status >= 400 and fails:
        return _say(22, f"The requested URL returned error: {answer.status}")
    text = json.dumps(answer.body)
    target = options.get("-o") or options.get("--output")
    if target:
        Path(target).write_text(text)
    else:
        print(text)  # noqa: T201
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
