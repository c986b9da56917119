"""What two tenants' customers write, and a look at all of it, without any of the orchestrator's code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from orchestrator.local.core import api
from orchestrator.local.core.waiting import eventually
from orchestrator.local.stories.demo.evidence import Contract, OutsideView
from orchestrator.local.stories.demo.stage import StoryError
from orchestrator.local.stories.documents import documents_of

PATIENCE = 60.0
"""Seconds until a command on an instance has ended."""
SCHEMA = (
    "CREATE TABLE chat_message (id serial PRIMARY KEY, message text, at timestamptz DEFAULT now())",
    "CREATE TABLE key_value_store (key text PRIMARY KEY, value jsonb, encrypted_value bytea)",
)
SETTINGS = {"settings": {"anonymous_user_enabled": False}, "slack_bot_token": "never-in-a-backup's-text"}

Fingerprint = Mapping[str, str]
"""What → the digest of all of it: database/TENANT, files, index/TENANT."""


@dataclass(frozen=True, slots=True)
class Customers:
    """What the tenants write, and a look at all of it. Not the orchestrator's code."""

    environ: Mapping[str, str]
    contract: Contract

    def client(self, service: str) -> Any:
        """A boto3 client of the local cloud."""
        return api.client(self.environ, service)

    def session(self, tenant: str) -> psycopg.Connection[Any]:
        """As the tenant's role in its database."""
        said = self.contract["tenants"][tenant]
        return OutsideView(self.environ).session(self.contract, said["secret_arn"], said["database"], said["role"])

    def write(self, tenant: str, first: int, count: int) -> None:
        """Messages, uploaded files (one of them twice: two versions), and their documents in the index."""
        with self.session(tenant) as session:
            if first == 0:
                for statement in SCHEMA:
                    session.execute(statement.encode())
                for key, value in SETTINGS.items():
                    session.execute("INSERT INTO key_value_store VALUES (%s, %s)", (key, json.dumps(value)))
            messages = [(f"{tenant} says {number} — ünï",) for number in range(first, first + count)]
            session.cursor().executemany("INSERT INTO chat_message (message) VALUES (%s)", messages)
        s3 = self.client("s3")
        for number in (first, *range(first, first + count)):
            body = f"{tenant} uploaded {number}\n".encode() * (number + 1)
            s3.put_object(Bucket=self.contract["bucket"], Key=f"onyx-files/{tenant}/file {number}.txt", Body=body)
        self.shell(tenant, documents_of(self.contract, tenant).write(range(first, first + count)))

    def shell(self, tenant: str, script: str) -> str:
        """Run a script on the tenant's index instance; what it says."""
        ssm, instance = self.client("ssm"), documents_of(self.contract, tenant).instance
        sent = ssm.send_command(
            InstanceIds=[instance], DocumentName="AWS-RunShellScript", Parameters={"commands": [script]}
        )["Command"]["CommandId"]

        def status() -> str:
            answer = ssm.list_command_invocations(CommandId=sent)["CommandInvocations"]
            return next((str(one["Status"]) for one in answer), "Pending")

        eventually(lambda: status() not in ("Pending", "InProgress"), PATIENCE, often=0.2)
        ended, answer = status(), ssm.get_command_invocation(CommandId=sent, InstanceId=instance)
        if ended != "Success":
            said = str(answer["StandardErrorContent"]).splitlines()
            raise StoryError(f"a script on {instance}: {ended} (waited {PATIENCE:.0f} s at most)", said)
        return str(answer["StandardOutputContent"])

    def fingerprint(self) -> Fingerprint:
        """Of everything that is there now."""
        found = {"files": self.files()}
        for tenant in self.contract["tenants"]:
            found[f"database/{tenant}"] = digest(self._rows(tenant))
            found[f"index/{tenant}"] = digest(self._documents(tenant))
        return found

    def files(self) -> str:
        """The digest of every object."""
        return digest(self._files())

    def _rows(self, tenant: str) -> Iterator[str]:
        with self.session(tenant) as session:
            tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            for (table,) in tables.fetchall():
                yield f"table {table}"
                query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
                yield from (str(row[0]) for row in session.execute(query).fetchall())

    def _files(self) -> Iterator[str]:
        s3, bucket = self.client("s3"), self.contract["bucket"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", ()):
                body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                yield f"{one['Key']} {hashlib.sha256(body).hexdigest()}"

    def _documents(self, tenant: str) -> Iterator[str]:
        documents = documents_of(self.contract, tenant)
        found = sorted(documents.found(self.shell(tenant, documents.read())))
        yield from found or ("no documents",)


def digest(lines: Iterable[str]) -> str:
    """Of all lines in their order, and how many there are."""
    text = list(lines)
    return f"{hashlib.sha256(chr(10).join(text).encode()).hexdigest()[:16]} of {len(text)}"
