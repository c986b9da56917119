"""Leads the real pg_dump or pg_restore to where an AWS host name really is: `pg_client.py REAL HOSTS_JSON ARGUMENT…`.

As `psql` does: address and real port come from PGHOSTADDR and PGPORT, the host name stays for its certificate. The host
and the port are given as `-h HOST -p PORT`; no other spelling is known.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path


def led(arguments: list[str], hosts: Mapping[str, tuple[str, int]]) -> tuple[list[str], dict[str, str]] | None:
    """The arguments, and what is added to the environment; None: an AWS name that the cloud does not have."""
    host = arguments[arguments.index("-h") + 1].lower().rstrip(".") if "-h" in arguments else ""
    if host not in hosts:
        return None if host.endswith(".amazonaws.com") else (arguments, {})
    ip, port = hosts[host]
    at = arguments.index("-p") if "-p" in arguments else len(arguments)
    return [*arguments[:at], *arguments[at + 2 :]], {"PGHOSTADDR": ip, "PGPORT": str(port)}


def main(arguments: list[str]) -> int:
    """Become the real one."""
    real, hosts_file, *given = arguments
    hosts = {name: (str(ip), int(port)) for name, (ip, port) in json.loads(Path(hosts_file).read_text()).items()}
    call = led(given, hosts)
    if call is None:
        print(f"{Path(real).name}: error: could not translate host name to address", file=sys.stderr)  # noqa: T201
        return 1
    os.execve(real, [real, *call[0]], {**os.environ, **call[1]})  # noqa: S606
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
