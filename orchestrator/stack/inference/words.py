"""What applications call the host, the name and the user of their PostgreSQL. Pure.

Onyx's own words are taken as they are; those of others are by custom (libpq, Django, Rails, Laravel, Spring, Metabase,
Keycloak, Discourse …): a host among them is evidence of which server is meant, a name or a user is offered,
never taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from orchestrator.stack.names import host_and_port
from orchestrator.stack.records import plain

ONYX = frozenset({"POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_USER"})
_HOST = re.compile(r"(^|_)(POSTGRES(QL)?_HOST|PGHOST|DB_(URL_)?HOST|DATABASE_HOST)$")
_NAME = re.compile(r"(^|_)(PGDATABASE|DB_?NAME|DB_DBNAME|DB_(URL_)?DATABASE|DATABASE_NAME)$")
_USER = re.compile(r"(^|_)(PGUSER|DB_USER(NAME)?|DATABASE_USER(NAME)?|DATASOURCE_USERNAME)$")
_PASSWORD = re.compile(r"(^|_)(PGPASSWORD|DB_PASS(WORD)?|DATABASE_PASSWORD|DATASOURCE_PASSWORD)$")
_URL = re.compile(r"(^|_)(DATABASE_URL|DATASOURCE_URL|DB_URL)$")
_KEPT = re.compile(r"(^|_)(DB|DATABASE|POSTGRES(QL)?|PG|RDS)(_[A-Z]+)*_SECRET(_(ARN|ID|NAME))?$")
_OTHER_ENGINES = re.compile(r"REDIS|MONGO|MYSQL|MARIADB|CLICKHOUSE|ELASTIC|NEO4J")
_PORTS = ("POSTGRES_PORT", "PGPORT", "DB_PORT", "DATABASE_PORT")
_FIRST = ("POSTGRES_HOST", "PGHOST", "DB_HOST", "DATABASE_HOST")

Variables = Mapping[str, str]


def is_of_a_database(name: str) -> bool:
    """Whether a variable of this name is about PostgreSQL, in anybody's words."""
    known = any(pattern.search(name) for pattern in (_HOST, _NAME, _USER, _PASSWORD, _URL))
    return name in ONYX or (known and not _OTHER_ENGINES.search(name))


def is_of_a_place(name: str) -> bool:
    """Whether a variable of this name says where the database is, or what it is called."""
    named = any(pattern.search(name) for pattern in (_HOST, _NAME, _URL)) or name in _PORTS or name == "POSTGRES_DB"
    return named and not _OTHER_ENGINES.search(name)


def is_of_a_host(name: str) -> bool:
    """Whether a variable of this name says where the database is."""
    return bool(_HOST.search(name) or _URL.search(name)) and not _OTHER_ENGINES.search(name)


def keeps_it(name: str) -> bool:
    """Whether a variable of this name says in which secret the application finds what its database is."""
    return bool(_KEPT.search(name)) and not _OTHER_ENGINES.search(name)


def password(names: Iterable[str]) -> str:
    """Of these variables the one that is the password's by custom; empty: none is."""
    return next((name for name in names if _PASSWORD.search(name) and not _OTHER_ENGINES.search(name)), "")


def is_of_a_user(name: str) -> bool:
    """Whether a variable of this name says who signs in, in other words than Onyx's."""
    return bool(_USER.search(name) or _URL.search(name)) and not _OTHER_ENGINES.search(name)


def host(said: Variables) -> tuple[str, str]:
    """The host and the variable that says it; both empty where none does. The best known words come first."""
    for name in (*_FIRST, *_matching(_HOST, said)):
        if value := said.get(name, ""):
            return host_and_port(value)[0], name
    for name, url in _urls(said):
        if url.hostname:
            return plain(url.hostname), name
    return "", ""


def is_the_task_itself(host: str) -> bool:
    """`localhost` and its addresses: another container of the same task."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def port(said: Variables) -> tuple[int, str] | None:
    """The port and the variable that says it."""
    for name in _PORTS:
        if said.get(name, "").isdigit():
            return int(said[name]), name
    for name in (*_FIRST, *_matching(_HOST, said)):
        if (text := host_and_port(said.get(name, ""))[1]).isdigit():
            return int(text), name
    return next(((number, name) for name, url in _urls(said) if (number := _port(url))), None)


def databases(said: Variables) -> Iterator[tuple[str, str]]:
    """Names that may be the database's, each with its variable."""
    yield from ((said[name], name) for name in _matching(_NAME, said))
    yield from ((url.path.strip("/"), name) for name, url in _urls(said) if url.path.strip("/"))


def users(said: Variables) -> Iterator[tuple[str, str]]:
    """Names that may be the role's."""
    yield from ((said[name], name) for name in _matching(_USER, said))
    yield from ((url.username, name) for name, url in _urls(said) if url.username)


def _matching(pattern: re.Pattern[str], said: Variables) -> Iterator[str]:
    return (name for name, value in said.items() if value and pattern.search(name) and not _OTHER_ENGINES.search(name))


def _urls(said: Variables) -> Iterator[tuple[str, SplitResult]]:
    """URLs of PostgreSQL, Java's too: `jdbc:postgresql://host:5432/name`."""
    for name in _matching(_URL, said):
        try:
            url = urlsplit(said[name].removeprefix("jdbc:"))
        except ValueError:
            continue
        if url.scheme.startswith("postg"):
            yield name, url


def _port(url: SplitResult) -> int:
    try:
        return url.port or 0
    except ValueError:
        return 0
