"""Where the server programs come from, and who may run them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trustme

from orchestrator.errors import OrchestratorError
from orchestrator.local.core import held_port
from orchestrator.local.endpoint import daemon
from orchestrator.local.rds import postgres, postgres_tls


def test_a_held_port_is_given_to_nobody_until_it_is_released() -> None:
    port = held_port.Port()
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", port.number)) != 0
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port.number))
    port.release()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port.number))


def test_no_programs_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([tmp_path]))
    with pytest.raises(OrchestratorError, match=r"postgres-missing.*Fix:"):
        postgres.binaries()


def test_a_folder_with_both_programs_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder, programs in ((empty, ["initdb"]), (full, ["initdb", "postgres"])):
        folder.mkdir()
        for program in programs:
            (folder / program).touch()
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([empty, full]))
    assert postgres.binaries() == full


def test_programs_that_cannot_run_are_named_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "initdb").touch()
    (tmp_path / "postgres").touch()
    monkeypatch.setattr(postgres, "_candidates", lambda: iter([tmp_path]))
    with pytest.raises(OrchestratorError, match="postgres-unusable"):
        postgres.start(daemon.make(tmp_path, "test", 300))


def test_tls_is_offered_whatever_loop_the_caller_is_in(tmp_path: Path) -> None:
    postgres_tls.certify(trustme.CA(), "db.example.com", tmp_path)

    async def both() -> None:
        first = held_port.Port()
        first.release()
        terminator = postgres_tls.Terminator(first.number, 1, tmp_path)
        with pytest.raises(OSError, match="in use"):
            postgres_tls.Terminator(first.number, 1, tmp_path)
        terminator.close()

    asyncio.run(both())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., psycopg.Connection]]:
    """A way to a server whose programs have no TLS."""
    monkeypatch.setattr(postgres_tls, "has_tls", lambda *_arguments: False)
    cloud = daemon.make(tmp_path, "test", 300)
    servers = postgres.PostgresServers(cloud)
    address = servers.create("db", "db.example.com", master="root", password="secret", database=None)

    def connect(**more: Any) -> psycopg.Connection:
        where = {"host": "db.example.com", "hostaddr": address.ip, "port": address.port, "dbname": "postgres"}
        who = {"user": "root", "password": "secret", "sslmode": "verify-full", "sslrootcert": str(cloud.ca_file)}
        return psycopg.connect(**{**where, **who, **more}, connect_timeout=10)

    yield connect
    servers.close()


def test_programs_without_tls_are_reached_by_tls_alone(server: Callable[..., psycopg.Connection]) -> None:
    with server(require_auth="scram-sha-256") as session:
        rows = session.execute("SELECT repeat('x', 200000) FROM generate_series(1, 20)").fetchall()
    assert sum(len(row[0]) for row in rows) == 4_000_000
    with pytest.raises(psycopg.OperationalError, match=r'no pg_hba.conf entry .* user "root".*, no encryption'):
        server(sslmode="disable")
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        server(host="other.example.com")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server(user="nobody")
