"""To the database with psycopg, where it can be reached from here (a VPN, a port forwarding, the local cloud)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from orchestrator.aws.value_from import held
from orchestrator.database import refusals, tls
from orchestrator.database.contents import LOOK, OPTIONS
from orchestrator.database.inventory import SESSION
from orchestrator.database.model import (
    LOCKING,
    ServerContents,
    WantedDatabase,
    answered,
    changeable,
    generators,
    observation,
    observed,
    unowned,
)
from orchestrator.database.on_runner import verifier
from orchestrator.database.sessions import QUERY, Session, parsed
from orchestrator.database.ssm import NOT_ALLOWED, admin_unknown, locked
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.stack.contract import Database


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect instead of the contract's host and port: a tunnel's end. TLS still checks the host's name."""

    ip: str
    port: int


class DirectServer:
    """The server over a connection of our own. `secret(arn)` gives a secret's string; `salt()` 16 random bytes.

    `authorities`: the PEM file of those who sign its certificate, instead of libpq's own variable, and that of RDS's.
    """

    def __init__(
        self,
        database: Database,
        secret: Callable[[str], str],
        *,
        endpoint: Endpoint | None = None,
        authorities: Path | None = None,
        salt: Callable[[], bytes] = lambda: os.urandom(16),
    ) -> None:
        self._database = database
        self._secret = secret
        self._endpoint = endpoint
        self._authorities = str(authorities or tls.SHIPPED)
        self._salt = salt

    def observe(self, wanted: Sequence[WantedDatabase]) -> ServerContents:
        """One admin session for the catalogue; one short session per tenant that exists, per database of nobody."""
        with self._admin() as admin:
            row = admin.execute(observation(wanted)).fetchone()
        seen: dict[str, Any] = row[0] if row else {}
        known = {one.tenant: one for one in wanted if one.has_password}
        read = attempt(known, lambda tenant: self._password_of(known[tenant]))
        unread = {tenant: error for tenant, error in read.failures.items() if isinstance(error, Transient)}
        broken = {tenant: it.problems[0].message for tenant, it in read.failures.items() if tenant not in unread}
        entered = [
            tenant
            for tenant in read.results
            if known[tenant].database in seen["databases"] and known[tenant].role in seen["roles"]
        ]
        found = attempt(entered, lambda tenant: self._login(known[tenant], read.results[tenant]))
        logins = {tenant: login for tenant, (login, _) in found.results.items()}
        holds = {known[tenant].database: held for tenant, (_, held) in found.results.items()}
        holds |= {name: self._held(name) for name in unowned(wanted, ServerContents(seen["databases"]))}
        return observed(seen, logins, broken, holds, unread | dict(found.failures), wanted=wanted)

    def _held(self, database: str) -> Any:
        """What is in it; None: nobody may look. Changes nothing."""
        admin = self._database
        password = self._password(admin.admin_secret_arn, admin.admin_secret_key, admin.admin_password)
        try:
            with self._connect(database, admin.admin_user, password, options=OPTIONS) as session:
                row = session.execute(LOOK.encode()).fetchone()
        except psycopg.Error:
            return None
        return row[0] if row else None

    def sessions(self) -> Sequence[Session]:
        """One admin session."""
        with self._admin() as admin:
            row = admin.execute(QUERY.encode()).fetchone()
        return parsed(row[0]["sessions"]) if row else ()

    def ensure(self, wanted: Sequence[WantedDatabase]) -> None:
        """What psql's `gexec` does: run each generator, then each statement it gives; in one session for all."""
        by_tenant = {one.tenant: one for one in wanted}
        with self._admin() as admin:
            for statement in LOCKING:
                admin.execute(statement.encode())
            each(by_tenant, lambda tenant: self._make(admin, by_tenant[tenant]))

    def _make(self, admin: psycopg.Connection[Any], one: WantedDatabase) -> None:
        hashed = verifier(self._password_of(one), self._salt()) if changeable(one) else None
        try:
            for query in generators(one, hashed):
                for (statement,) in admin.execute(query.encode()).fetchall():
                    self._create(admin, statement)
        except psycopg.Error as error:
            raise _failed(error) from None

    def read(
        self, wanted: Sequence[WantedDatabase], generators: Sequence[str], *, at_once: int
    ) -> Mapping[str, Sequence[str]]:
        """As `Server` says: a session for each tenant, one after the other."""
        del at_once  # nothing is shared here
        return {one.tenant: self._lines(one, generators) for one in wanted}

    def _lines(self, one: WantedDatabase, generators: Sequence[str]) -> Sequence[str]:
        try:
            with self._connect(one.database, one.role, self._password_of(one)) as session:
                for statement in SESSION:
                    session.execute(statement.encode())
                statements = [row[0] for query in generators for row in session.execute(query.encode()).fetchall()]
                return [json.dumps(session.execute(it.encode()).fetchall()[0][0]) for it in statements]
        except psycopg.OperationalError as error:
            raise _refused(error) from None
        except psycopg.Error as error:
            fix = "see PostgreSQL's message"
            raise OrchestratorError(Problem("sql-failed", _said(error), one.database, fix)) from None

    @staticmethod
    def _create(admin: psycopg.Connection[Any], statement: str) -> None:
        """A creator that does not hold our lock may have been faster: 42P04 and 42710 when visible, 23505 before."""
        try:
            admin.execute(statement.encode())
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass
        except psycopg.errors.InsufficientPrivilege as error:
            raise OrchestratorError(
                Problem("admin-not-allowed", _said(error), "tenant-databases", NOT_ALLOWED)
            ) from None

    def _login(self, one: WantedDatabase, password: str) -> tuple[str, Any]:
        """What the server says of it, and what is in the database.

        Without its answer nothing is known, and nothing may be changed: `Transient`.
        """
        try:
            with self._connect(one.database, one.role, password) as session:
                row = session.execute(LOOK.encode()).fetchone()
                return "ok", row[0] if row else None
        except psycopg.Error as error:
            if not answered(str(error)):
                raise _refused(error) from None
            return _said(error), None

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[Any]]:
        database = self._database
        password = self._password(database.admin_secret_arn, database.admin_secret_key, database.admin_password)
        try:
            connection = self._connect("postgres", self._database.admin_user, password)
        except psycopg.OperationalError as error:
            raise _refused(error) from None
        try:
            with connection:
                yield connection
        except psycopg.Error as error:
            raise _failed(error) from None

    def _connect(
        self, database: str, user: str, password: str, *, options: str | None = None
    ) -> psycopg.Connection[Any]:
        where: dict[str, Any] = {"host": self._database.host, "port": self._database.port}
        if self._endpoint:
            where |= {"hostaddr": self._endpoint.ip, "port": self._endpoint.port}
        return psycopg.connect(
            dbname=database,
            user=user,
            password=password,
            sslmode=tls.MODE,
            sslrootcert=self._authorities,
            require_auth=tls.METHOD,
            connect_timeout=10,
            options=options,
            application_name="orchestrate",
            autocommit=True,
            **where,
        )

    def _password_of(self, one: WantedDatabase) -> str:
        return self._password(one.secret_arn, one.secret_key, one.password)

    def _password(self, arn: str | None, key: str, known: SecretStr | None) -> str:
        if arn is None:
            if known is None:
                raise admin_unknown(self._database)
            return known.get_secret_value()
        return held(self._secret(arn), key, arn)


def _failed(error: psycopg.Error) -> OrchestratorError:
    """A session that ended in an error: the server's words about a statement, or no words at all."""
    said = _said(error)
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.ObjectInUse):
        return locked(said)
    if isinstance(error, psycopg.OperationalError):
        fix = "check whether the server was restarted; then run the same command again"
        return Transient(Problem("database-unreachable", said, "tenant-databases", fix))
    return OrchestratorError(Problem("sql-failed", said, "tenant-databases", "see PostgreSQL's message"))


def _refused(error: psycopg.Error) -> OrchestratorError:
    said = _said(error)
    if untrusted := tls.refusal(said):
        return untrusted
    if refusal := refusals.of(said):
        return refusals.problem(refusal, said)
    if isinstance(error, psycopg.errors.InvalidPassword) or "password authentication failed" in said:
        fix = "store the admin user's real password in its secret (admin_secret_arn)"
        return OrchestratorError(Problem("admin-password-wrong", said, "tenant-databases", fix))
    fix = "check that the database can be reached from here, or use --database-transport ssm"
    return Transient(Problem("database-unreachable", said, "tenant-databases", fix))


def _said(error: psycopg.Error) -> str:
    """PostgreSQL's primary message. Never the statement."""
    return (error.diag.message_primary or " ".join(str(error).split()))[:600]
