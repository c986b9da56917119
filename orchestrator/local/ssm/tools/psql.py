"""Leads the real psql to where an AWS host name really is: `psql.py REAL_PSQL HOSTS_JSON ARGUMENT…`.

The host comes from -h/--host, a connection string or PGHOST. Its address and real port are given as PGHOSTADDR and
PGPORT (or appended to the connection string, which outranks them), the host name stays: certificates are verified
against it. A name under amazonaws.com that the cloud does not have is unknown, as on AWS: no resolver is asked.
Left out: lists of hosts, service files.
"""

from __future__ import annotations

import getopt
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SHORT = "ac:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxXzA01bl?"
LONG = [
    "command=", "dbname=", "echo-queries", "echo-errors", "echo-hidden", "file=", "field-separator=", "host=", "html",
    "list", "log-file=", "no-readline", "single-transaction", "output=", "port=", "pset=", "quiet", "record-separator=",
    "single-step", "single-line", "tuples-only", "table-attr=", "username=", "set=", "variable=", "version",
    "no-password", "password", "expanded", "no-psqlrc", "help=", "echo-all", "csv", "no-align",
    "field-separator-zero", "record-separator-zero",
]  # fmt: skip
DATABASE = frozenset({"-d", "--dbname"})
PORT = frozenset({"-p", "--port"})
HOST = frozenset({"-h", "--host"})


class UnknownHost(Exception):
    """An AWS name that the cloud does not have."""


@dataclass(frozen=True, slots=True)
class PsqlCall:
    """What the real psql is started with: its arguments and what is added to its environment."""

    arguments: list[str]
    environment: dict[str, str]


def led(arguments: list[str], environment: Mapping[str, str], hosts: Mapping[str, tuple[str, int]]) -> PsqlCall:
    """The call with its host's real address and port. Raises `UnknownHost`; getopt.GetoptError is psql's to report."""
    options, words = getopt.gnu_getopt(arguments, SHORT, LONG)
    named = [value for option, value in options if option in DATABASE]
    database = named[-1] if named else next(iter(words), "")
    host = _host_in(database) or next((value for option, value in reversed(options) if option in HOST), "")
    host = (host or environment.get("PGHOST", "")).lower().rstrip(".")
    if host not in hosts:
        if host.endswith(".amazonaws.com"):
            raise UnknownHost(host)
        return PsqlCall(arguments, {})
    ip, port = hosts[host]
    if is_connection_string(database):
        replaced = with_address(database, ip, port)
        options = [(option, replaced if option in DATABASE else value) for option, value in options]
        words = words if named else [replaced, *words[1:]]
    kept = [word for option, value in options if option not in PORT for word in _spelled(option, value)]
    # `--` keeps a database name that begins with a dash what it is.
    return PsqlCall([*kept, "--", *words], {"PGHOSTADDR": ip, "PGPORT": str(port)})


def is_connection_string(database: str) -> bool:
    """The rule of psql: a URI, or something with an equals sign."""
    return "=" in database or database.startswith(("postgresql://", "postgres://"))


def with_address(database: str, ip: str, port: int) -> str:
    """The connection string led to the address: what comes last counts in libpq."""
    if "://" not in database:
        return f"{database} hostaddr={ip} port={port}"
    return f"{database}{'&' if urlsplit(database).query else '?'}hostaddr={ip}&port={port}"


def _host_in(database: str) -> str:
    if not is_connection_string(database):
        return ""
    if "://" in database:
        return urlsplit(database).hostname or ""
    found = re.findall(r"(?:^|\s)host\s*=\s*'?([^\s']+)", database)
    return str(found[-1]) if found else ""


def _spelled(option: str, value: str) -> list[str]:
    """The option as given; a value may be empty (`-F ''`)."""
    if option.startswith("--"):
        return [f"{option}={value}" if f"{option[2:]}=" in LONG else option]
    return [option, value] if f"{option[1]}:" in SHORT else [option]


def main(arguments: list[str]) -> int:
    """Become the real psql."""
    real, hosts_file, *given = arguments
    hosts = {name: (str(ip), int(port)) for name, (ip, port) in json.loads(Path(hosts_file).read_text()).items()}
    try:
        call = led(given, os.environ, hosts)
    except getopt.GetoptError:
        call = PsqlCall(given, {})
    except UnknownHost as unknown:
        message = f'psql: error: could not translate host name "{unknown}" to address: Name or service not known'
        print(message, file=sys.stderr)  # noqa: T201
        return 2
    os.execve(real, [real, *call.arguments], {**os.environ, **call.environment})  # noqa: S606
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
