"""Names as a contract takes them: hosts in one spelling, and what PostgreSQL keeps as it is."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from orchestrator.stack import patterns


def _one_spelling(host: str) -> str:
    """DNS tells no capitals apart, and AWS keeps those of a load balancer's name: here there is one spelling."""
    return host.lower().removesuffix(".")


Hostname = Annotated[
    str,
    Field(max_length=254, pattern=patterns.HOSTNAME),
    AfterValidator(_one_spelling),
]
Host = Annotated[str, Field(min_length=1, pattern=patterns.LINE), AfterValidator(_one_spelling)]
"""A name or an address."""


def _address_or_name(host: str) -> str:
    """A server may have an address alone, or a name of one label (Cloud Map, Compose, /etc/hosts)."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        name = _one_spelling(host)
    if not re.fullmatch(rf"([a-z0-9_]{patterns.LABEL}\.)*[a-z]{patterns.LABEL}", name):
        raise ValueError("a server's host is a name or an IP address, without a port")
    return name


def host_and_port(said: str) -> tuple[str, str]:
    """`HOST`, `HOST:PORT`, `[IPv6]:PORT` or an IPv6 address: the host in one spelling, and what is said as its port."""
    try:
        return str(ipaddress.ip_address(said.strip())), ""
    except ValueError:
        host, _, port = said.strip().removeprefix("[").partition("]" if said.strip().startswith("[") else ":")
        return _one_spelling(host), port.removeprefix(":")


ServerHost = Annotated[str, Field(min_length=1, max_length=254), AfterValidator(_address_or_name)]

RESERVED = frozenset({"postgres", "rdsadmin", "template0", "template1"})
"""Databases that are the server's own."""


def role_name(name: str) -> str:
    """Give `name` back if PostgreSQL keeps it as it is, unquoted or quoted; raise ValueError otherwise.

    PostgreSQL silently cuts 64 bytes to 63 and a name at its NUL, so both are refused here (measured).
    """
    size = len(name.encode("utf-8", "surrogatepass"))
    if not name:
        raise ValueError("a PostgreSQL name must not be empty")
    if size > 63:
        raise ValueError(f"a PostgreSQL name has at most 63 bytes, this one has {size}")
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", name):
        raise ValueError(
            "a PostgreSQL name here is lower-case letters, digits, _ and -, not starting with a digit or -"
        )
    return name


def identifier(name: str) -> str:
    """The same, of names that are nobody's yet."""
    if reserved(role_name(name)):
        raise ValueError(f"{name!r} is reserved by PostgreSQL or RDS")
    return name


def reserved(name: str) -> bool:
    """Whether the name is the server's own."""
    return name in RESERVED or name.startswith("pg_")


def reserved_for_roles(name: str) -> bool:
    """The same for a role; and no role can be called `public` or `none`, quoted or not: `public` means everybody."""
    return reserved(name) or name in ("none", "public") or name.startswith("rds_")


Identifier = Annotated[str, AfterValidator(identifier)]
Role = Annotated[str, AfterValidator(role_name)]
