"""Loaded by an instance's python3 at its start: AWS's names lead to where the cloud really is, as psql's double does.

`VPC_HOSTS` names the file: host name → [address, port]. A port that is asked for by the name is exchanged for the real
one, and 443 of a load balancer's own address too. Left out: every other name, which the machine's resolver answers.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

_real = socket.getaddrinfo


def _led(host: Any, port: Any) -> tuple[Any, Any]:
    try:
        hosts: dict[str, list[Any]] = json.loads(Path(os.environ["VPC_HOSTS"]).read_text(encoding="utf-8"))
    except (OSError, KeyError, ValueError):
        return host, port
    name = str(host).lower().rstrip(".")
    if name in hosts:
        return hosts[name][0], hosts[name][1]
    for address, real in hosts.values():
        if address == name and str(port) == "443" and address != "127.0.0.1":
            return address, real
    return host, port


def _getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
    return _real(*_led(host, port), *arguments, **named)


socket.getaddrinfo = _getaddrinfo
