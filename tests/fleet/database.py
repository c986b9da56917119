"""A PostgreSQL for the workers of a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import sql

from orchestrator.local.rds.postgres import PostgresServers

PASSWORD = "made-for-this-test"


@dataclass(frozen=True)
class DatabaseServer:
    """A PostgreSQL as the local cloud's RDS has them, without the cloud. It can be restarted."""

    servers: PostgresServers
    url: str

    def database(self) -> str:
        """The URL of a new database."""
        name = f"fleet_{uuid4().hex}"
        with psycopg.connect(f"{self.url}/fleet", autocommit=True) as first:
            first.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{self.url}/{name}"

    def restart(self) -> None:
        self.servers.stop("fleet")
        self.servers.start("fleet")
