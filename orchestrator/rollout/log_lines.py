"""What the last lines of a task's log mean: who said it, about whom. What is not understood blames nobody. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.rollout import addressees, connections
from orchestrator.rollout.addressees import Addressee, AddresseeKind
from orchestrator.rollout.causes import Cause, RepairedBy
from orchestrator.rollout.log_rules import aws, container, index, migrations, postgresql, redis, servers
from orchestrator.rollout.log_rules.rule import LogRule

_RULES = (
    *postgresql.RULES,
    *migrations.RULES,
    *redis.RULES,
    *index.OWN,
    *aws.RULES,
    *servers.RULES,
    *container.RULES,
)
_LAST = (*index.LAST, *container.LAST)
"""After the connections: they name a component and no host, or a file that names one."""
_SECOND_TRIES = frozenset({"database-wants-tls", "database-host-refused"})
"""What libpq's second try, without TLS, is told (sslmode=prefer): why the first one failed stands just before it."""
_OWN = {
    AddresseeKind.DATABASE: ("POSTGRES_HOST", "PGHOST", "DATABASE_URL", "DB_HOST", "DATABASE_HOST"),
    AddresseeKind.REDIS: ("REDIS_HOST", "REDIS_URL"),
}
"""The variables of the tenant's own server, before others of the same kind (a replica, another application's)."""
_OURS = {
    "database-login-denied": ("POSTGRES_USER", "PGUSER", "DB_USER"),
    "database-missing": ("POSTGRES_DB", "PGDATABASE", "DB_NAME"),
}


def read(log: Sequence[str], environment: Mapping[str, str]) -> Cause | None:
    """The newest line that is understood; None: none is. Lines are oldest first, an event may hold several."""
    lines = [line for event in log for line in event.splitlines()]
    for place in range(len(lines) - 1, -1, -1):
        found = _of(lines[place], environment)
        if found is None:
            continue
        if found.code in _SECOND_TRIES:
            found = _first_try(lines[max(0, place - 2) : place], environment) or found
        return found
    return None


def _first_try(before: Sequence[str], environment: Mapping[str, str]) -> Cause | None:
    told = (_of(line, environment) for line in reversed(before) if "FATAL" in line or "failed" in line)
    return next(
        (one for one in told if one and one.code.startswith("database-") and one.code not in _SECOND_TRIES), None
    )


def _of(line: str, environment: Mapping[str, str]) -> Cause | None:
    return next((_shown(found, line) for found in _causes(line, environment)), None)


def _shown(cause: Cause, line: str) -> Cause:
    return replace(cause, evidence=" ".join(line.split())[:300])


def _causes(line: str, environment: Mapping[str, str]) -> Iterator[Cause]:
    for rule in _RULES:
        if match := re.search(rule.pattern, line):
            yield _said(rule, match, line, environment)
    if cause := connections.cause(line, environment):
        yield cause
    for rule in _LAST:
        if match := re.search(rule.pattern, line):
            yield _said(rule, match, line, environment)


def _said(rule: LogRule, match: re.Match[str], line: str, environment: Mapping[str, str]) -> Cause:
    """By the rule, if it was said by whom the rule is about."""
    names = {name: value for name, value in match.groupdict().items() if value}
    message, fix = (_filled(text, names) for text in (rule.message, rule.fix))
    if rule.kind is not None and (stranger := _stranger(rule.kind, addressees.named(line, environment), environment)):
        return _elsewhere(stranger, rule.kind, message, environment)
    if wrong := _not_ours(rule.code, names, environment):
        return wrong
    if rule.tells and (who := addressees.named(line, environment)):
        message = f"{message}: {who}"
    if rule.code == "variable-missing" and names:
        message = f"{message}: {next(iter(names.values()))}"
    return Cause(rule.code, message, fix, rule.repaired_by)


def _filled(text: str, names: Mapping[str, str]) -> str:
    return text.replace("{name}", names.get("name") or names.get("operation", "…"))


def _stranger(kind: AddresseeKind, who: Addressee | None, environment: Mapping[str, str]) -> Addressee | None:
    """Whom the line names, if that is not the tenant's own server of this kind."""
    if who is None or who.kind is AddresseeKind.ITSELF:
        return None
    own = _own(kind, environment)
    if own is None:
        return who if who.variable and who.kind is not kind else None
    return None if who.host.lower() == own.host.lower() or who.variable == own.variable else who


def _own(kind: AddresseeKind, environment: Mapping[str, str]) -> Addressee | None:
    there = [one for one in addressees.known(environment) if one.kind is kind]
    order = _OWN.get(kind, ())
    return min(there, key=lambda one: order.index(one.variable) if one.variable in order else len(order), default=None)


def _elsewhere(who: Addressee, kind: AddresseeKind, message: str, environment: Mapping[str, str]) -> Cause:
    own = _own(kind, environment)
    beside = f"; {own.variable} is {own.host}" if own else ""
    held = "" if who.variable else "; no plain variable of the task definition holds that address"
    return Cause(
        "server-elsewhere",
        f"{who} said so, and is not the tenant's own {kind}{beside}{held}: {message}",
        "find out what sets that address and whose server it is: no step changes anything there",
        RepairedBy.OUTSIDE,
    )


def _not_ours(code: str, names: Mapping[str, str], environment: Mapping[str, str]) -> Cause | None:
    """PostgreSQL names another role or database than the tenant's tasks are told: making the tenant's helps nobody."""
    said, variables = names.get("name"), _OURS.get(code, ())
    told = next(((one, environment[one]) for one in variables if environment.get(one)), None)
    if said is None or told is None or told[1] == said:
        return None
    what = "role" if code == "database-login-denied" else "database"
    refused = "PostgreSQL did not accept it" if what == "role" else "it does not exist"
    return Cause(
        "database-role-other" if what == "role" else "database-name-other",
        f'the task uses the {what} "{said}", and {told[0]} is "{told[1]}": {refused}',
        f"find out what else in the task sets a {what}; no step creates or changes one of that name",
        RepairedBy.OUTSIDE,
    )
