"""One PostgreSQL server of this machine: its folder, its port, its process, and a session as its superuser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from orchestrator.local.core.held_port import Port
from orchestrator.local.rds import postgres_tls

SUPERUSER = "rdsadmin"


@dataclass(slots=True)
class PostgresServer:
    """One server: its folder (`data`, certificate), its port, and its process while it runs."""

    folder: Path
    port: Port
    password: str
    """Of the superuser: made here, never written anywhere else."""
    process: subprocess.Popen[bytes] | None = None
    inner: Port | None = None
    """Where it really listens, if its programs have no TLS: that ends before it, on `port`."""
    terminator: postgres_tls.Terminator | None = None

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.folder / "data"

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """As the superuser, in autocommit."""
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port.number,
            user=SUPERUSER,
            password=self.password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=30,
        ) as connection:
            yield connection
