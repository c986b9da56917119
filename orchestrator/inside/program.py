"""The program that looks out from the runner instance, sent there over SSM by `inside`. Only Python 3.9's own library.

It reads a request (base64 of JSON, in its first argument: names, addresses and a secret's ARN, nothing secret) and
prints one JSON object. Redis's token it fetches itself from where it is kept, and sends it to nobody but a server whose
certificate is valid for Redis's name; it is in no argument, in no file, and in nothing that is printed.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List  # noqa: UP035 - Python 3.9 evaluates the aliases below

TIMEOUT = 10
"""Seconds for one answer."""
LONGEST_BODY = 2_000
"""Bytes of a site's answer: SSM keeps 24,000 characters for all sites together."""
VISITORS = 8

Answer = Dict[str, Any]  # noqa: UP006


def login(request: Answer) -> Answer:
    """Whether Redis refuses who has no token, and takes who has the secret's."""
    try:
        token = secret(request)
    except NoToken as error:
        return {"unproven": "the secret can't be read on the runner: " + str(error)}
    try:
        nobody = redis(request, ["PING"])
        bearer = redis(request, ["AUTH", token], ["PING"])
    except ssl.SSLCertVerificationError as error:
        return {"unproven": "the certificate is not valid for " + request["host"] + ": " + error.verify_message}
    except (OSError, ValueError) as error:
        return {"unproven": request["host"] + " can't be reached from the runner: " + str(error)[:200]}
    said = next((line for line in bearer if line.startswith("-")), bearer[-1]).replace(token, "***")
    return {"open": nobody[0].startswith("+PONG"), "accepted": bearer == ["+OK", "+PONG"], "said": said[:200]}


class NoToken(Exception):
    """Why there is no token to try."""


def secret(request: Answer) -> str:
    """What the secret, or the parameter, holds under its key. Raises Unread."""
    value = told(request, "SecretString" if request["asked"][0] == "secretsmanager" else "Parameter.Value")
    if value == "None":  # the CLI's word for nothing: the secret is binary
        value = base64.b64decode(told(request, "SecretBinary")).decode("utf-8", "replace")
    try:
        return str(json.loads(value)[request["key"]]) if request["key"] else value
    except (ValueError, KeyError, TypeError):
        raise NoToken("it is not a JSON object with a " + request["key"]) from None


def told(request: Answer, query: str) -> str:
    """What the aws CLI says of it, without the line feed that it adds."""
    argv = ["aws", *request["asked"], "--region", request["region"], "--query", query, "--output", "text"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoToken(type(error).__name__) from None
    if done.returncode:
        raise NoToken(done.stderr.strip()[-300:])
    return done.stdout[:-1]


def redis(request: Answer, *commands: List[str]) -> List[str]:  # noqa: UP006
    """Speak to the server over TLS, verified; give the first line of each answer. Source: redis.io, RESP."""
    context = ssl.create_default_context()
    with socket.create_connection((request["host"], request["port"]), TIMEOUT) as plain:  # noqa: SIM117 - for 3.9
        with context.wrap_socket(plain, server_hostname=request["host"]) as channel:
            answers, said = [], channel.makefile("rb")
            for words in commands:
                parts = [word.encode() for word in words]
                sent = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
                channel.sendall(b"*%d\r\n%s" % (len(parts), sent))
                line = said.readline()
                if not line.endswith(b"\r\n"):
                    raise ValueError("the connection was closed")
                answers.append(line.decode("utf-8", "replace").strip())
            return answers


def visits(request: Answer) -> Answer:
    """Every site at every address, as its visitors would ask."""
    with ThreadPoolExecutor(VISITORS) as pool:
        return {"probes": list(pool.map(visit, request["visits"]))}


def visit(asked: Answer) -> Answer:
    """One HTTPS request to one address, the certificate verified for the site's name. A redirect is an answer."""
    context = ssl.create_default_context()
    try:
        with socket.create_connection((asked["address"], asked["port"]), TIMEOUT) as plain:  # noqa: SIM117 - for 3.9
            with context.wrap_socket(plain, server_hostname=asked["hostname"]) as channel:
                connection = http.client.HTTPConnection(asked["hostname"], timeout=TIMEOUT)
                connection.sock = channel
                connection.request("GET", asked["path"], headers={"Host": asked["hostname"]})
                answer = connection.getresponse()
                body = answer.read(LONGEST_BODY).decode("utf-8", "replace")
                found = {"status": answer.status, "location": answer.getheader("Location", ""), "body": body}
                return {"reached": "answered", **found}
    except ssl.SSLCertVerificationError as error:
        return {"reached": "tls-invalid", "detail": error.verify_message}
    except ssl.SSLError as error:
        return {"reached": "tls-refused", "detail": str(error)[:200]}
    except (OSError, http.client.HTTPException) as error:
        return {"reached": "unreachable", "detail": str(error)[:200]}


def main() -> None:
    """One request, one line."""
    request = json.loads(base64.b64decode(sys.argv[1]))
    print(json.dumps({"login": login, "visits": visits}[request["mode"]](request)))  # noqa: T201


if __name__ == "__main__":
    main()
