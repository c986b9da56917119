"""To the database through the runner: one SSM command, one psql session, passwords fetched by the instance itself."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from orchestrator.database import refusals, tls
from orchestrator.database.contents import LOOK, OPTIONS
from orchestrator.database.inventory import READERS, SESSION
from orchestrator.database.lending import Reference
from orchestrator.database.model import (
    LOCK_WAIT,
    LOCKING,
    SYSTEM_DATABASES,
    ServerContents,
    WantedDatabase,
    answered,
    beside,
    changeable,
    exchange,
    generators,
    observation,
    observed,
)
from orchestrator.database.sessions import QUERY, Session, parsed
from orchestrator.database.tls import Authorities
from orchestrator.engine.subjects import Subject, each
from orchestrator.errors import OrchestratorError, PartlyFailed, Problem, Transient
from orchestrator.inside.shell import Shell
from orchestrator.stack.contract import Database

SECONDS = 300
"""That a look or a change may take."""
TOGETHER = 100
"""Tenants that one command is about: SSM carries 60,000 bytes of it there, and 24,000 characters of its answer back."""
READING = 3600
"""Seconds that reading every row may take."""
MOVING = 3600
"""Seconds that dumping or loading a database may take."""
NOT_ALLOWED = (
    "the admin user needs CREATEDB and CREATEROLE (on RDS: rds_superuser); to change what another role owns, it "
    "needs that role: GRANT owner TO admin (of a role: WITH ADMIN OPTION)"
)
_FIXES = {
    "28P01": ("admin-password-wrong", "store the admin user's real password in its secret (admin_secret_arn)"),
    "28000": ("admin-login-denied", "check admin_user and the server's pg_hba rules (TLS is required on RDS)"),
    "42501": ("admin-not-allowed", NOT_ALLOWED),
    "53300": ("database-connections-exhausted", "too many connections: close some, or use a larger class"),
}
_PASSING = {
    "runner-booting": "wait; if it doesn't end, see cloud-init's log on the instance",
    "parameter-missing": "none needed: it is tried again; if a parameter of your own is missing: terraform apply",
    "dump-interrupted": "none needed: it is tried again; if it keeps failing, check whether its subnet has a route "
    "to S3",
}
"""The program's own codes of what is tried again, each with its fix; `_LASTING`: of what is not."""
_LASTING = {
    "dump-too-large": "let Terraform start from the RDS snapshot instead: postgres_snapshot (docs/how-to)",
    "dump-damaged": "take another backup; S3 keeps versions in the backup's bucket",
    "dump-not-moved": "check whether the runner has space in /var/tmp, and whether a bucket policy refuses your "
    "identity",
    "tenant-login-refused": "`orchestrate run --only tenant-databases` gives the role the password of its secret",
}
_RACED = ("42P04:", "42710:", "23505:")
"""Somebody who does not hold our lock created the same at the same moment: look again."""
_LOCKED = ("55P03:", "55006:")
"""Somebody holds a lock on what would be changed, or is connected to it."""
_UNREACHED = (
    "could not connect",
    "connection to server",
    "server closed the connection",
    "terminating connection",
    "timeout expired",
    "the database system is",
)
_ENDPOINT = re.compile(r'endpoint URL: "(?P<url>[^"]+)"')
"""In the aws CLI's words when it gets no answer: could not connect, connect timeout, read timeout."""
_AWS_PASSING = ("Throttl", "TooManyRequests", "ServiceUnavailable", "InternalFailure", "Could not connect", "timed out")
"""Words of the aws CLI on the instance about failures that pass by themselves."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """A dump's size and digest, as its maker saw it."""

    bytes: int
    sha256: str


class LendsPasswords(Protocol):
    """Makes passwords readable for the instance (`database.lending.PasswordLender`)."""

    def lent(self, passwords: Mapping[str, SecretStr]) -> AbstractContextManager[Mapping[str, Reference]]:
        """Where each can be read while the context lasts."""
        ...


class NothingToLend:
    """For stacks whose passwords are all in secrets."""

    @contextmanager
    def lent(self, passwords: Mapping[str, SecretStr]) -> Iterator[Mapping[str, Reference]]:
        """Nothing, for nothing."""
        assert not passwords, "a stack with passwords of its own needs a lender"  # noqa: S101
        yield {}


class SsmServer:
    """The server as seen from the runner instance."""

    def __init__(
        self,
        shell: Shell,
        runner: str,
        database: Database,
        region: str,
        lender: LendsPasswords | None = None,
        *,
        authorities: Authorities | None = None,
    ) -> None:
        self._shell = shell
        self._runner = runner
        self._database = database
        self._region = region
        self._lender = lender or NothingToLend()
        self._authorities = authorities or tls.authorities(region, None)

    def observe(self, wanted: Sequence[WantedDatabase]) -> ServerContents:
        """A command for each `TOGETHER` tenants: the catalogue, logins, what is in their databases.

        The last command also looks at the databases of nobody: one that was renamed meanwhile is not missed by both.
        """
        ours = sorted(SYSTEM_DATABASES | {one.database for one in wanted})
        looks: dict[str, Any] = {"look": LOOK, "options": OPTIONS, "known": ours}
        answer: dict[str, Any] = {}
        for start in range(0, max(1, len(wanted)), TOGETHER):
            end = start + TOGETHER
            query = observation(wanted[start:end], [*wanted[:start], *wanted[end:]], strangers=end >= len(wanted))
            answer = _merged(answer, self._ask("observe", wanted[start:end], observation=query, **looks))
        logins, secrets = answer["logins"], answer["secrets"]
        lent = frozenset(one.tenant for one in wanted if one.secret_arn is None)
        failures = _without_answer(logins, secrets, lent)
        logins, secrets = (
            {tenant: it for tenant, it in said.items() if tenant not in failures} for said in (logins, secrets)
        )
        return observed(answer, logins, secrets, answer.get("holds", {}), failures, wanted=wanted)

    def sessions(self) -> Sequence[Session]:
        """One command."""
        return parsed(self._ask("observe", (), observation=QUERY)["sessions"])

    def ensure(self, wanted: Sequence[WantedDatabase]) -> None:
        """A command for each `TOGETHER` tenants, a psql session for each tenant."""
        starts = range(0, len(wanted), TOGETHER)
        parts = {wanted[start].tenant: wanted[start : start + TOGETHER] for start in starts}
        if len(parts) <= 1:
            return self._ensured(wanted)
        try:
            return each(parts, lambda first: self._ensured(parts[first]))
        except PartlyFailed as error:
            failed: dict[Subject, OrchestratorError] = {}
            for first, failure in error.failures.items():
                those = dict.fromkeys((one.tenant for one in parts[first]), failure)
                failed |= failure.failures if isinstance(failure, PartlyFailed) else those
            raise PartlyFailed(failed) from None

    def _ensured(self, wanted: Sequence[WantedDatabase]) -> None:
        statements = {one.tenant: _script_of(one) for one in wanted}
        seconds = SECONDS + LOCK_WAIT * len(wanted)
        refused = self._ask("ensure", wanted, seconds=seconds, statements=statements)["refused"]
        if refused:
            told = {tenant: _error(said["code"], said["message"], self._runner) for tenant, said in refused.items()}
            raise PartlyFailed(told)

    def read(
        self, wanted: Sequence[WantedDatabase], generators: Sequence[str], *, at_once: int
    ) -> Mapping[str, Sequence[str]]:
        """As `Server` says: a command for each `at_once` tenants, some at the same time."""
        sql = "\n".join([f"{one};" for one in SESSION] + [rf"{query} \gexec" for query in generators])
        parts = [wanted[start : start + at_once] for start in range(0, len(wanted), at_once)]
        with ThreadPoolExecutor(READERS) as pool:
            answers = pool.map(lambda part: self._ask("read", part, seconds=READING, sql=sql), parts)
            return {tenant: lines for answer in answers for tenant, lines in answer["lines"].items()}

    def dump(self, one: WantedDatabase, url: SecretStr) -> Dumped:
        """Put the tenant's database, as pg_dump writes it, where the URL says."""
        said = self._ask("dump", [one], seconds=MOVING, urls={one.tenant: url})
        return Dumped(int(said["bytes"]), str(said["sha256"]))

    def load(self, one: WantedDatabase, url: SecretStr, sha256: str) -> None:
        """Put what was dumped in the place of the tenant's database: whole, or not at all."""
        before, after = exchange(one)
        more = {"sha256": sha256, "into": beside(one.database), "before": "\n".join(before), "after": "\n".join(after)}
        self._ask("load", [one], seconds=MOVING, urls={one.tenant: url}, **more)

    def _ask(
        self,
        mode: str,
        wanted: Sequence[WantedDatabase],
        *,
        seconds: int = SECONDS,
        urls: Mapping[str, SecretStr] | None = None,
        **more: Any,
    ) -> Any:
        lending = self._passwords(wanted) | {_url_of(tenant): url for tenant, url in (urls or {}).items()}
        with self._lender.lent(lending) as lent:
            request = self._request(mode, wanted, lent) | more
            comment = f"orchestrate: {mode} tenant databases"
            output = self._shell.run(self._runner, script(request), comment=comment, timeout=seconds)
        return self._read(output.stdout)

    def _passwords(self, wanted: Sequence[WantedDatabase]) -> dict[str, SecretStr]:
        """Those that no secret holds, by tenant; the admin's under the empty name."""
        admin = self._database.admin_password if self._database.admin_secret_arn is None else None
        known = {one.tenant: one.password for one in wanted if one.secret_arn is None} | {"": admin}
        return {who: password for who, password in known.items() if password is not None}

    def _request(self, mode: str, wanted: Sequence[WantedDatabase], lent: Mapping[str, Reference]) -> dict[str, Any]:
        database = self._database
        if "" not in lent and database.admin_secret_arn is None:
            raise admin_unknown(database)
        admin = lent.get("", (database.admin_secret_arn, database.admin_secret_key))
        places = {one.tenant: lent.get(one.tenant, (one.secret_arn, one.secret_key)) for one in wanted}
        return {
            "mode": mode,
            "host": database.host,
            "port": database.port,
            "admin": database.admin_user,
            "admin_secret": admin[0],
            "admin_key": admin[1],
            "region": self._region,
            "authorities": self._authorities.pem,
            "authorities_named": self._authorities.file is not None,
            "tenants": [
                {
                    "name": one.tenant,
                    "database": one.database,
                    "role": one.role,
                    "secret": places[one.tenant][0],
                    "key": places[one.tenant][1],
                    **_url_in(one.tenant, lent),
                }
                for one in wanted
            ],
        }

    def _read(self, stdout: str) -> Any:
        try:
            last = stdout.strip().splitlines()[-1]
            answer = json.loads(last if last.startswith("{") else gzip.decompress(base64.b64decode(last)))
        except (IndexError, ValueError, OSError, EOFError):
            fix = "run the last SSM command of the instance by hand (aws ssm list-commands)"
            raise OrchestratorError(
                Problem("runner-answer-unreadable", "no JSON came back", self._runner, fix)
            ) from None
        if "error" in answer:
            raise _error(answer["error"]["code"], answer["error"]["message"], self._runner)
        return answer


def _merged(some: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two answers about different tenants as one; what they tell is in objects and lists."""

    def both(one: Any, other: Any) -> Any:
        return {**one, **other} if isinstance(one, dict) else [*one, *other]

    return {**some, **{key: both(some[key], said) if some.get(key) else said for key, said in more.items()}}


def _url_of(tenant: str) -> str:
    """Under which a tenant's URL is lent: no tenant is called so."""
    return f"url of {tenant}"


def _url_in(tenant: str, lent: Mapping[str, Reference]) -> dict[str, str]:
    if _url_of(tenant) not in lent:
        return {}
    secret, key = lent[_url_of(tenant)]
    return {"url_secret": secret, "url_key": key}


def locked(said: str) -> Transient:
    """PostgreSQL did not get a lock in time: somebody's session has it."""
    fix = "find that session (SELECT pid, usename, query FROM pg_stat_activity; pg_locks), and end it if that is safe"
    return Transient(Problem("database-locked", said, "tenant-databases", fix))


def admin_unknown(database: Database) -> OrchestratorError:
    """Nothing can be made or looked at: nobody told the admin's password."""
    message = f"the password of {database.admin_user} is in no known secret and not in Terraform's state"
    fix = "name its secret in orchestrate.toml (`orchestrate init`): database.admin_secret_arn"
    return OrchestratorError(Problem("admin-password-unknown", message, database.server, fix))


def script(request: dict[str, Any]) -> str:
    """The bash script for SSM: the program by heredoc, the request as its argument. Nothing in it is secret."""
    program = resources.files("orchestrator.database").joinpath("on_runner.py").read_text(encoding="utf-8")
    argument = base64.b64encode(gzip.compress(json.dumps(request).encode())).decode()
    return f"python3 - {argument} <<'END_OF_PROGRAM'\n{program}\nEND_OF_PROGRAM\n"


def _script_of(one: WantedDatabase) -> str:
    """For psql; `@verifier@` is put in by the runner, who alone knows the password."""
    lock, limit = LOCKING
    lines = [rf"{query} \gexec" for query in generators(one, "@verifier@" if changeable(one) else None)]
    return "\n".join([rf"{lock} \g /dev/null", f"{limit};", *lines])


def _without_answer(
    logins: Mapping[str, str], secrets: Mapping[str, str], lent: frozenset[str]
) -> Mapping[str, OrchestratorError]:
    """Tenants about whom nothing is known, since somebody did not answer: by tenant, why.

    Those in `lent` have a password that was lent just now: SSM may not show it yet.
    """
    failures: dict[str, OrchestratorError] = {}
    for tenant, said in logins.items():
        if untrusted := tls.refusal(said):
            failures[tenant] = untrusted
        elif said != "ok" and not answered(said):
            fix = "check whether the server was restarted; then run the same command again"
            failures[tenant] = Transient(Problem("database-unreachable", said, tenant, fix))
    for tenant, said in secrets.items():
        if passing := _passing(said, tenant):
            failures[tenant] = passing
        elif tenant in lent and said.startswith("parameter-missing"):
            failures[tenant] = Transient(Problem("parameter-missing", said, tenant, _PASSING["parameter-missing"]))
    return failures


def _passing(said: str, where: str) -> Transient | None:
    """Of a secret that could not be read, when that may pass: AWS throttles, or does not answer the runner."""
    if no_way := _without_way(said, where):
        return no_way
    if any(text in said for text in _AWS_PASSING):
        return Transient(Problem("secret-unreadable", said, where, "wait, or see the AWS health page"))
    return None


def _without_way(said: str, where: str) -> Transient | None:
    """When the runner's aws CLI gets no answer from AWS: a new way out takes a while to work."""
    found = _ENDPOINT.search(said)
    if found is None:
        return None
    host = urlsplit(found["url"]).netloc
    service, _, region = host.split(".amazonaws")[0].partition(".")
    fix = (
        "give the runner's subnet a default route (a NAT gateway), or a VPC endpoint "
        f"com.amazonaws.{region}.{service} with private DNS, whose security group admits the runner on 443"
    )
    message = f"the runner gets no answer from {host}: {said.strip().splitlines()[-1]}"
    return Transient(Problem("runner-without-way-to-aws", message, where, fix))


def _error(code: str, message: str, runner: str) -> OrchestratorError:
    """By SQLSTATE where psql gave one (VERBOSITY=verbose), else by the program's own code."""
    if code == "secret-unreadable" and (passing := _passing(message, runner)):
        return passing
    if code in _PASSING:
        return Transient(Problem(code, message, runner, _PASSING[code]))
    if code in _LASTING:
        return OrchestratorError(Problem(code, message, runner, _LASTING[code]))
    if code == "tool-missing":
        fix = "install it in the instance's user_data (terraform/modules/index shows how)"
        return OrchestratorError(Problem("runner-tool-missing", message, runner, fix))
    if code != "sql-failed":
        return OrchestratorError(Problem(code, message, runner, "check the secret and the instance's role"))
    return tls.refusal(message) or _psql_said(message)


def _psql_said(message: str) -> OrchestratorError:
    for state, (known, fix) in _FIXES.items():
        if f"{state}:" in message or (state == "28P01" and "password authentication failed" in message):
            return OrchestratorError(Problem(known, message, "tenant-databases", fix))
    if any(state in message for state in _RACED):
        return Transient(Problem("database-raced", message, "tenant-databases", "none needed: it is checked again"))
    if any(state in message for state in _LOCKED):
        return locked(message)
    if refusal := refusals.of(message):
        return refusals.problem(refusal, message)
    if any(text in message for text in _UNREACHED):
        fix = "check the database's status and that its security group admits the runner on its port"
        return Transient(Problem("database-unreachable", message, "tenant-databases", fix))
    return OrchestratorError(Problem("sql-failed", message, "tenant-databases", "see PostgreSQL's message"))
