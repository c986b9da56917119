"""A double of curl that reaches two things: the containers of Vespa and of OpenSearch on its own instance.

It speaks to localhost:19071 (Vespa's config server) and localhost:8080/8081 (vespa_api.py says what answers there), and
to OpenSearch on 9200, over TLS in earnest. Of curl's options -X, -d (also `@-`: standard input), -H, -k, -u, -K (also
`-`), -w '%{http_code}', -s -S -f -o and their like are understood or harmless. Left out: every other host (exit status
6, nothing leaves the machine), several URLs, redirects; headers towards Vespa.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.local.ssm.tools import containers, vespa_api

NODE = "ORCHESTRATE_LOCAL_OPENSEARCH"
"""Environment variable with the port of this machine where the instance's OpenSearch really listens."""
DATA = ("-d", "--data", "--data-binary", "--data-raw")
LONG = {"-o": "--output", "-m": "--max-time", "-H": "--header", "-w": "--write-out", "-X": "--request", "-u": "--user"}
LONG |= {"-K": "--config", **dict.fromkeys(DATA, "--data")}
WITH_VALUE = frozenset({*LONG, *LONG.values(), "--connect-timeout", "--retry", "--cacert"})
OPENSEARCH = 9200
PORTS = {19071: containers.VESPA, 8080: containers.VESPA, 8081: containers.VESPA, OPENSEARCH: containers.OPENSEARCH}


@dataclass(slots=True)
class Call:
    """What is asked, as curl's command line and its `--config` have it."""

    flags: str = ""
    """The letters of options without a value."""
    values: dict[str, str] = field(default_factory=dict)
    """Of options with one, by their long names."""
    headers: dict[str, str] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)

    @property
    def body(self) -> str | None:
        """What is sent; None: nothing."""
        said = self.values.get("--data")
        return sys.stdin.read() if said == "@-" else said

    def take(self, words: Sequence[str]) -> None:
        """More of a command line."""
        given = iter(words)
        for word in given:
            if word in WITH_VALUE:
                self._put(LONG.get(word, word), next(given, ""))
            elif word.startswith("--"):
                self.flags += {"--fail": "f", "--insecure": "k"}.get(word, "")
            elif word.startswith("-"):
                self.flags += word[1:]
            else:
                self.urls.append(word)

    def _put(self, option: str, value: str) -> None:
        if option == "--header":
            name, _, text = value.partition(":")
            self.headers[name.strip()] = text.strip()
        elif option == "--config":
            lines = (sys.stdin.read() if value == "-" else Path(value).read_text()).splitlines()
            for line in lines:
                name, _, text = line.partition("=")
                self.take([f"--{name.strip()}", *shlex.split(text)])
        else:
            self.values[option] = value


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and text."""

    status: int
    text: str


class CurlError(Exception):
    """It ends with curl's exit status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def main(arguments: list[str]) -> int:
    """Exit status as curl's: 6 unknown host, 7 refused, 22 an HTTP error under -f, 35, 52 and 60 of TLS."""
    call = Call()
    call.take(arguments)
    try:
        reply = _asked(call)
    except CurlError as failed:
        print(f"curl: ({failed.status}) {failed}", file=sys.stderr)  # noqa: T201
        return failed.status
    if reply.status >= 400 and "f" in call.flags:
        print(f"curl: (22) The requested URL returned error: {reply.status}", file=sys.stderr)  # noqa: T201
        return 22
    if target := call.values.get("--output"):
        Path(target).write_text(reply.text)
    else:
        print(reply.text)  # noqa: T201
    if shown := call.values.get("--write-out"):
        print(re.sub(r"%\{http_code\}", str(reply.status), shown).replace("\\n", "\n"), end="")  # noqa: T201
    return 0


def _asked(call: Call) -> Reply:
    if len(call.urls) != 1:
        raise CurlError(2, "this double takes one URL")
    url = call.urls[0] if "://" in call.urls[0] else f"http://{call.urls[0]}"
    place = urlsplit(url)
    if place.hostname not in {"localhost", "127.0.0.1"}:
        raise CurlError(6, f"Could not resolve host: {place.hostname}")
    name = PORTS.get(place.port or 80)
    file = containers.state_file(name or containers.VESPA)
    if name is None or not containers.runs(file) or place.port not in containers.made(file).ports:
        raise CurlError(7, f"CurlError to connect to {place.hostname} port {place.port or 80}: Connection refused")
    body = call.body
    method = call.values.get("--request") or ("GET" if body is None else "POST")
    if name == containers.OPENSEARCH:
        return _over_tls(call, method, url, body)
    answer = vespa_api.answer(method, url, body or "")
    return Reply(answer.status, json.dumps(answer.body))


def _over_tls(call: Call, method: str, url: str, body: str | None) -> Reply:
    import ssl  # noqa: PLC0415 - they cost more than all the rest of a call to Vespa
    from http.client import HTTPException, HTTPSConnection  # noqa: PLC0415

    place = urlsplit(url)
    if place.scheme != "https":
        raise CurlError(52, "Empty reply from server")
    context = ssl.create_default_context()
    if "k" in call.flags:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = (
        {"Content-Type": "application/x-www-form-urlencoded", **call.headers} if body is not None else call.headers
    )
    if user := call.values.get("--user"):
        headers = {**headers, "Authorization": f"Basic {_encoded(user)}"}
    seconds = float(call.values.get("--max-time", 60))
    connection = HTTPSConnection("127.0.0.1", int(os.environ[NODE]), context=context, timeout=seconds)
    try:
        path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        connection.request(method, path, body.encode() if body is not None else None, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.read().decode())
    except ssl.SSLCertVerificationError as error:
        raise CurlError(60, f"SSL certificate problem: {error.verify_message}") from None
    except TimeoutError:
        raise CurlError(28, "Operation timed out") from None
    except (ssl.SSLError, OSError, HTTPException):
        # The container has not opened its port yet: the double's own one cuts off.
        raise CurlError(7, f"CurlError to connect to {place.hostname} port {place.port}: Connection refused") from None
    finally:
        connection.close()


def _encoded(user: str) -> str:
    return base64.b64encode(user.encode()).decode()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
