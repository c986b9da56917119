"""A stack in the local cloud as Terraform leaves it, with both ways to its database server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from orchestrator.aws.parameters import Parameters
from orchestrator.aws.secrets import Secrets
from orchestrator.aws.ssm import Ssm
from orchestrator.database import tls
from orchestrator.database.direct import DirectServer, Endpoint
from orchestrator.database.lending import PasswordLender
from orchestrator.database.model import WantedDatabase
from orchestrator.database.server import Server
from orchestrator.database.ssm import SsmServer
from orchestrator.stack.contract import Database, Stack
from tests.local.local_cloud import Aws


@dataclass
class Place:
    """A stack as Terraform leaves it, with both ways to its database."""

    stack: Stack
    aws: Aws
    endpoint: Endpoint
    ca_file: Path

    def secret(self, name: str, value: str) -> str:
        arn: str = self.aws.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
        return arn

    def wanted(self, name: str) -> WantedDatabase:
        arn = self.secret(name, json.dumps({"username": name, "password": f"pw-of-{name}'\\ü"}))
        return WantedDatabase(name, name, name, arn, stack="o'n{y}x-prod", server=self.stack.database.host)

    def direct(
        self, database: Database | None = None, ca_file: Path | None = None, endpoint: Endpoint | None = None
    ) -> Server:
        secrets, parameters = Secrets(self.aws.client("secretsmanager")), self.parameters()

        def read(arn: str) -> str:
            return parameters.value(arn) if ":ssm:" in arn else secrets.value(arn)

        given = database or self.stack.database
        return DirectServer(given, read, endpoint=endpoint or self.endpoint, authorities=ca_file or self.ca_file)

    def parameters(self) -> Parameters:
        return Parameters(self.aws.client("ssm"))

    def lender(self) -> PasswordLender:
        return PasswordLender(self.parameters(), "onyx-prod", "this", lambda: datetime.now(UTC))

    def ssm(self, database: Database | None = None, ca_file: Path | None = None) -> Server:
        shell = Ssm(self.aws.client("ssm"), sleep=time.sleep, monotonic=time.monotonic)
        assert self.stack.runner is not None
        wanted = database or self.stack.database
        trusted = tls.authorities(self.stack.region, ca_file or self.ca_file)
        runner, region = self.stack.runner.instance_id, self.stack.region
        return SsmServer(shell, runner, wanted, region, self.lender(), authorities=trusted)

    def admins_password(self) -> SecretStr:
        arn = self.stack.database.admin_secret_arn
        value = self.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return SecretStr(json.loads(value)["password"])

    def admin(self) -> psycopg.Connection[Any]:
        return self.session(self.stack.database.admin_user, self.admins_password().get_secret_value())

    def session(self, user: str, password: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.stack.database.host,
            hostaddr=self.endpoint.ip,
            port=self.endpoint.port,
            user=user,
            password=password,
            dbname="postgres",
            sslmode="verify-full",
            sslrootcert=str(self.ca_file),
            autocommit=True,
        )


def as_tenant(place: Place, one: WantedDatabase) -> psycopg.Connection[Any]:
    """A session of the tenant's own role."""
    secret = place.aws.client("secretsmanager").get_secret_value(SecretId=str(one.secret_arn))["SecretString"]
    return psycopg.connect(
        host=place.stack.database.host,
        hostaddr=place.endpoint.ip,
        port=place.endpoint.port,
        user=one.role,
        password=json.loads(secret)["password"],
        dbname=one.database,
        sslmode="require",
        autocommit=True,
    )
