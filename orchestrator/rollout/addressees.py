"""Whom a task speaks to, by its own environment, and which of them a log line names. Pure.

A component is blamed only if the line names it: by a host or port that a variable of the task holds, by a name that
can only be AWS's, or by the words of its own client library. No value of a variable is shown, but its host and port:
a URL may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class AddresseeKind(StrEnum):
    """What is at an address; the word is used in messages."""

    DATABASE = "PostgreSQL"
    REDIS = "Redis"
    VESPA = "Vespa"
    OPENSEARCH = "OpenSearch"
    FILES = "S3"
    MODELS = "the model server"
    AWS = "AWS"
    ITSELF = "the task itself"
    OTHER = "a server"


@dataclass(frozen=True, slots=True)
class Addressee:
    """A host and port (None: not known), and the variable that holds it (empty: none does)."""

    kind: AddresseeKind
    host: str
    port: int | None = None
    variable: str = ""

    def __str__(self) -> str:
        where = f"{self.host}:{self.port}" if self.port else self.host
        return f"{where} ({self.variable})" if self.variable else where


_SCHEMES = {
    "postgres": AddresseeKind.DATABASE,
    "postgresql": AddresseeKind.DATABASE,
    "redis": AddresseeKind.REDIS,
    "rediss": AddresseeKind.REDIS,
}
_PORTS = {AddresseeKind.DATABASE: 5432, AddresseeKind.REDIS: 6379}
_BY_SCHEME = {"http": 80, "https": 443, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "mysql": 3306}
_WORDS = (
    (AddresseeKind.MODELS, ("MODEL_SERVER", "EMBEDDING_SERVER")),
    (AddresseeKind.VESPA, ("VESPA",)),
    (AddresseeKind.OPENSEARCH, ("OPENSEARCH", "ELASTICSEARCH", "ELASTIC")),
    (AddresseeKind.REDIS, ("REDIS", "VALKEY", "ELASTICACHE")),
    (AddresseeKind.FILES, ("S3", "MINIO", "FILE_STORE")),
    (AddresseeKind.DATABASE, ("POSTGRES", "POSTGRESQL", "PG", "PGHOST", "PGHOSTADDR", "DATABASE", "DB", "RDS", "JDBC")),
)
_HOLDS = re.compile(
    r"(HOST(NAME|ADDR)?S?|UR[LI]S?|ENDPOINTS?|ADDR(ESS(ES)?)?|SERVERS?|BROKERS?|NODES?|DSN|DOMAIN|UPSTREAM)(_URL)?$"
)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?")
_NO_API = (
    r"elb|kafka(-serverless)?|mq|docdb|neptune|redshift(-serverless)?|compute(-1)?|execute-api|lambda-url|efs"
    r"|awsapprunner|elasticbeanstalk"
)
"""Servers and load balancers of anybody's under AWS's names: what is there, only the variable tells."""
_OF_AWS = (
    (re.compile(r"\.rds\.amazonaws\.com(\.cn)?$"), AddresseeKind.DATABASE),
    (re.compile(r"\.cfg\.\w+\.cache\.amazonaws\.com(\.cn)?$"), None),
    (re.compile(r"\.(cache|memorydb)(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$"), AddresseeKind.REDIS),
    (re.compile(r"\.(es|aoss)\.amazonaws\.com(\.cn)?$|\.aos\.[a-z0-9-]+\.on\.aws$"), AddresseeKind.OPENSEARCH),
    (re.compile(rf"\.({_NO_API})(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$|^email-smtp[.-]"), None),
    (re.compile(r"(^|\.)s3[.-]([a-z0-9-]+\.)*amazonaws\.com(\.cn)?$"), AddresseeKind.FILES),
    (re.compile(r"\.amazonaws\.com(\.cn)?$|\.api\.aws$"), AddresseeKind.AWS),
)
_OTHER_WORDS = ("MYSQL", "MARIADB", "MSSQL", "SQLSERVER", "ORACLE", "MEMCACHE", "MONGO", "RABBITMQ", "KAFKA")
_OTHER_PORTS = frozenset({3306, 1433, 1521, 11211, 27017, 5671, 5672, 9092, 9094, 9096, 9098})
"""Engines that no tenant's database or cache here can be."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0"})  # noqa: S104 - read, not bound


def known(environment: Mapping[str, str]) -> tuple[Addressee, ...]:
    """Every address in the plain variables. A port in a variable of its own (REDIS_PORT) belongs to its host's."""
    return tuple(_known(environment))


def _known(environment: Mapping[str, str]) -> Iterator[Addressee]:
    for variable, value in environment.items():
        whole = value.strip()
        if "://" in whole:
            for one in re.split(r",(?=[a-z][a-z0-9+.-]*://)", whole):
                yield from _of_url(variable, one.strip())
        elif _HOLDS.search(variable.upper()):
            for one in whole.split(","):
                host, _, port = one.strip().partition(":")
                number = int(port) if port.isdecimal() else _port_beside(variable, environment)
                if _NAME.fullmatch(host):
                    kind = kind_of(variable, host, number)
                    yield Addressee(kind, host.rstrip("."), number or _PORTS.get(kind), variable)


def _of_url(variable: str, value: str) -> Iterator[Addressee]:
    """Each host of it: MongoDB's, Kafka's and libpq's URLs may hold several."""
    scheme, _, rest = value.removeprefix("jdbc:").partition("://")
    where, _, after = rest.partition("/")
    login, at, hosts = where.rpartition("@")
    for host in hosts.split(","):
        yield from _of_one_url(variable, f"{scheme}://{login}{at}{host}/{after}")


def _of_one_url(variable: str, value: str) -> Iterator[Addressee]:
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        return
    scheme = url.scheme.partition("+")[0].lower()
    plain = scheme in ("http", "https", "tcp", "tls", "ssl")
    kind = _SCHEMES.get(scheme) or (kind_of(variable, host, port) if plain else AddresseeKind.OTHER)
    if host:
        yield Addressee(kind, host.rstrip("."), port or _PORTS.get(kind) or _BY_SCHEME.get(scheme), variable)


def _port_beside(variable: str, environment: Mapping[str, str]) -> int | None:
    said = environment.get(re.sub(r"(HOST(NAME|ADDR)?|ADDR(ESS)?|ENDPOINT|SERVER)$", "PORT", variable), "")
    return int(said) if said.isdecimal() else None


def kind_of(variable: str, host: str = "", port: int | None = None) -> AddresseeKind:
    """By the host where only one kind can be there, else by the variable's words.

    RDS and ElastiCache have other engines too: their ports and variables say so.
    """
    name = f"_{variable.upper()}_"
    if port in _OTHER_PORTS or any(word in name for word in _OTHER_WORDS):
        return AddresseeKind.OTHER
    for pattern, kind in _OF_AWS:
        if host and pattern.search(host.lower()):
            if kind is not None:
                return kind
            break
    return next((kind for kind, words in _WORDS if any(f"_{word}_" in name for word in words)), AddresseeKind.OTHER)


_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9a-f:]+\]|::1)"
_PORT = r"(?P<port>\d{1,5})"
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"connection to server at \"{_HOST}\"( \([^)]*\))?, port {_PORT}",
        rf"(server|host) (at |on host )?\"{_HOST}(:{_PORT})?\"( \([^)]*\))? .*port {_PORT.replace('port', 'other')}",
        rf"(could not translate host name|unable to resolve host|[Cc]ould not resolve host:?) \"?{_HOST}(:{_PORT})?",
        rf"server at \"{_HOST}:{_PORT}\"",
        rf"(server|host:?) (on |at )?'?{_HOST}'? ?(\(\d+\)|:{_PORT})",
        rf"\(?host='{_HOST}', port={_PORT}",
        rf"\bhost=`?{_HOST}( port={_PORT})?",
        rf"->{_HOST}:{_PORT}",
        rf"dial (tcp|udp)[46]? {_HOST}:{_PORT}",
        rf"dial (tcp|udp)[46]?: lookup {_HOST}",
        rf"\blookup {_HOST}( on [\d.:]+)?: ",
        rf"(ENOTFOUND|EAI_AGAIN) {_HOST}",
        rf"(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET) {_HOST}:{_PORT}",
        rf"(not known|refused|unavailable|timed out) \({_HOST}:{_PORT}\)",
        rf"upstream: \"\w+://{_HOST}(:{_PORT})?",
        rf"host not found in upstream \"{_HOST}(:{_PORT})?\"",
        rf"UnknownHostException: {_HOST}",
        rf"[Cc]onnect call failed \('{_HOST}', {_PORT}",
        rf"Failed to resolve '{_HOST}'",
        rf"(onnect(ing|ion)?|onnected|reach|access) (to|at) (host |server |Redis at |Vespa at )?'?\"?{_HOST}:{_PORT}",
        rf"(Redis|Vespa|OpenSearch|server) at {_HOST}(:{_PORT})?",
        rf"[a-z][a-z0-9+]*://([^@/\s\"]*@)?{_HOST}(:{_PORT})?",
        rf"[Nn]o (node|route) .*?{_HOST}:{_PORT}",
        rf"\b(?P<host>(\d{{1,3}}\.){{3}}\d{{1,3}}):{_PORT}\b",
    )
)
_SPOKEN = re.compile(
    r"sqlalche\.me|docs\.|boto3\.amazonaws|\bsee https?:|on this error at|help\.|github\.com", re.IGNORECASE
)
"""Pages that error texts link to: they were never called."""


def named(line: str, environment: Mapping[str, str]) -> Addressee | None:
    """Whom the line names. One that no variable holds has no variable; None: it names nobody.

    The addresses of the environment are looked for first: longer names before shorter ones, which may be parts of them.
    """
    there = known(environment)
    for one in sorted(there, key=lambda each: -len(each.host)):
        whole = rf"(?<![\w.-]){re.escape(one.host)}(?![\w-]|\.\w)"
        if not _is_loopback(one.host) and re.search(whole, line, re.IGNORECASE):
            return one
    for pattern in _NAMES:
        for found in pattern.finditer(line):
            if not _SPOKEN.search(found[0]):
                said = found.groupdict()
                port = said.get("port") or said.get("other")
                return _looked_up(said["host"].rstrip("."), int(port) if port else None, there)
    return None


def _looked_up(host: str, port: int | None, there: tuple[Addressee, ...]) -> Addressee:
    """An address stands for the one name with that port: the line shows what the name has resolved to."""
    if _is_loopback(host):
        own = next((one for one in there if _is_loopback(one.host) and one.port == port), None)
        return Addressee(AddresseeKind.ITSELF, host, port, own.variable if own else "")
    kind = kind_of("", host, port)
    at_port = {one.kind: one for one in there if port and one.port == port and not _is_address(one.host)}
    if kind is AddresseeKind.OTHER and _is_address(host) and len(at_port) == 1:
        (one,) = at_port.values()
        return Addressee(one.kind, host, port, one.variable)
    return Addressee(kind, host, port)


def _is_loopback(host: str) -> bool:
    return host.lower() in _LOOPBACK


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
