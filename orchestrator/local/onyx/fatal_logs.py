"""Ends of a container that nothing here can really bring about: what its program writes last, and its exit code.

The words are those of the programs themselves (CPython, libpq through SQLAlchemy, redis-py, requests, botocore, nginx,
the kernel), with the addresses of the task's own environment. Left out: what led to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.local.core.cloud import ACCOUNT, PARTITION


@dataclass(frozen=True, slots=True)
class FatalLog:
    """`lines` may hold `{VARIABLE}` of the container's environment."""

    title: str
    lines: tuple[str, ...]
    exit_code: int = 1
    guide: str = "ECS Task Troubleshooting"

    def written(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The lines, with the addresses of the task."""
        found = []
        for line in self.lines:
            for name, value in environment.items():
                line = line.replace(f"{{{name}}}", value)  # noqa: PLW2901 - one after the other
            found.append(line)
        return tuple(found)


_SQL = "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) "
_SERVER = 'connection to server at "{POSTGRES_HOST}" (10.0.1.5), port 5432 failed: '
_REDIS = "redis.exceptions."
_DATABASE, _CACHE, _FILES = "Database Issues", "Redis/Cache Issues", "S3 Storage Issues"

_PROXY = (
    "requests.exceptions.SSLError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded "
    "(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
    "failed: self-signed certificate in certificate chain (_ssl.c:1007)')))"
)
_LICENCE = (
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='licence.vendor.example', port=443): Max "
    "retries exceeded with url: / (Caused by NameResolutionError(\"Failed to resolve 'licence.vendor.example' "
    '([Errno -2] Name or service not known)"))'
)
_NO_TLS = (
    _SQL + _SERVER + 'FATAL:  no pg_hba.conf entry for host "10.0.2.7", user "{POSTGRES_USER}", database '
    '"{POSTGRES_DB}", no encryption'
)
_ELSEWHERE = (
    f'{_SQL}connection to server at "warehouse.corp.example" (172.16.0.4), port 5432 failed: FATAL:  password '
    'authentication failed for user "etl"'
)
_KEY = (
    "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: "
    f"User: arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/task/0 is not authorized to perform: kms:GenerateDataKey on "
    f"resource: arn:{PARTITION}:kms:us-west-2:{ACCOUNT}:key/1"
)
_MODEL = (
    "botocore.errorfactory.AccessDeniedException: An error occurred (AccessDeniedException) when calling the "
    f"InvokeModel operation: User: arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/task/0 is not authorized to perform: "
    f"bedrock:InvokeModel on resource: arn:{PARTITION}:bedrock:us-west-2::foundation-model/x"
)
_OLD_KEYS = (
    "botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId) when calling the PutObject "
    "operation: The AWS Access Key Id you provided does not exist in our records."
)
_ENDPOINT = (
    "botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "
    '"https://s3.us-west-2.amazonaws.com/"'
)

FATAL_LOGS: Mapping[str, FatalLog] = {
    "words-disk-full": FatalLog(
        "the task's own disk is full",
        ("OSError: [Errno 28] No space left on device: '/app/.cache/huggingface/hub/blobs/model.incomplete'",),
    ),
    "words-read-only-disk": FatalLog(
        "the container may not write to its own disk", ("OSError: [Errno 30] Read-only file system: '/app/tmp'",)
    ),
    "words-file-denied": FatalLog(
        "a file in the container belongs to another user",
        ("PermissionError: [Errno 13] Permission denied: '/var/lib/onyx/state'",),
    ),
    "words-port-in-use": FatalLog(
        "two containers of the task use the same port",
        ("ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use",),
    ),
    "words-other-architecture": FatalLog(
        "the image is for another processor", ("exec /usr/bin/alembic: exec format error",), 255
    ),
    "words-command-missing": FatalLog(
        "the command is not in the image", ("/bin/sh: 1: uvicorn: command not found",), 127
    ),
    "words-heap-full": FatalLog(
        "the program runs out of memory", ("MemoryError: Unable to allocate 1.20 GiB for an array",)
    ),
    "words-old-processor": FatalLog(
        "the processor is too old for the program", ("Illegal instruction (core dumped)",), 132
    ),
    "words-variable-missing": FatalLog(
        "a variable is missing in the environment", ("KeyError: 'ENCRYPTION_KEY_SECRET'",)
    ),
    "words-image-incomplete": FatalLog(
        "the image was built incompletely", ("ModuleNotFoundError: No module named 'onyx.server'",)
    ),
    "words-proxy-certificate": FatalLog(
        "a proxy in between presents its own certificate",
        (_PROXY,),
    ),
    "words-foreign-name": FatalLog(
        "a host name outside the stack does not resolve",
        (_LICENCE,),
    ),
    "words-database-wants-tls": FatalLog(
        "PostgreSQL refuses connections without TLS",
        (_NO_TLS,),
        guide=_DATABASE,
    ),
    "words-database-without-tls": FatalLog(
        "the task requires TLS and PostgreSQL has none",
        (f"{_SQL}{_SERVER}server does not support SSL, but SSL was required",),
        guide=_DATABASE,
    ),
    "words-database-bundle-old": FatalLog(
        "the image's CA bundle is older than RDS's certificate",
        (f"{_SQL}{_SERVER}SSL error: certificate verify failed",),
        guide=_DATABASE,
    ),
    "words-database-bundle-missing": FatalLog(
        "the image has no CA bundle",
        (f'{_SQL}{_SERVER}root certificate file "/app/global-bundle.pem" does not exist',),
        guide=_DATABASE,
    ),
    "words-database-iam": FatalLog(
        "the role accepts only IAM tokens",
        (f'{_SQL}{_SERVER}FATAL:  PAM authentication failed for user "{{POSTGRES_USER}}"',),
        guide=_DATABASE,
    ),
    "words-database-old-client": FatalLog(
        "the client library doesn't support SCRAM",
        (f"{_SQL}SCRAM authentication requires libpq version 10 or above",),
        guide=_DATABASE,
    ),
    "words-database-no-password": FatalLog(
        "the task sends PostgreSQL no password", (f"{_SQL}{_SERVER}fe_sendauth: no password supplied",), guide=_DATABASE
    ),
    "words-database-extension": FatalLog(
        "a migration may not create its extension",
        ('(psycopg2.errors.InsufficientPrivilege) permission denied to create extension "pg_trgm"',),
        guide=_DATABASE,
    ),
    "words-database-createrole": FatalLog(
        "a migration may not create its role",
        ("(psycopg2.errors.InsufficientPrivilege) permission denied to create role",),
        guide=_DATABASE,
    ),
    "words-migration-locked": FatalLog(
        "a migration waits for somebody's lock",
        ("(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout",),
        guide=_DATABASE,
    ),
    "words-statement-timeout": FatalLog(
        "a migration takes longer than statement_timeout",
        ("(psycopg2.errors.QueryCanceled) canceling statement due to statement timeout",),
        guide=_DATABASE,
    ),
    "words-pool-exhausted": FatalLog(
        "the application's pool is too small",
        ("sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 5 reached, connection timed out",),
        guide=_DATABASE,
    ),
    "words-another-database": FatalLog(
        "another application's server refuses the task",
        (_ELSEWHERE,),
        guide=_DATABASE,
    ),
    "words-redis-memory": FatalLog(
        "Redis has no memory left",
        (f"{_REDIS}OutOfMemoryError: OOM command not allowed when used memory > 'maxmemory'.",),
        guide=_CACHE,
    ),
    "words-redis-replica": FatalLog(
        "the task writes to a replica of Redis",
        (f"{_REDIS}ReadOnlyError: READONLY You can't write against a read only replica.",),
        guide=_CACHE,
    ),
    "words-redis-cluster": FatalLog(
        "Redis is in cluster mode", (f"{_REDIS}ResponseError: MOVED 866 10.0.3.12:6379",), guide=_CACHE
    ),
    "words-redis-acl": FatalLog(
        "the Redis user lacks a permission",
        (f"{_REDIS}NoPermissionError: NOPERM this user has no permissions to run the 'flushdb' command",),
        guide=_CACHE,
    ),
    "words-kms-denied": FatalLog(
        "the task role may not use the bucket's key",
        (_KEY,),
        guide=_FILES,
    ),
    "words-other-service-denied": FatalLog(
        "the task role may not call another service",
        (_MODEL,),
    ),
    "words-old-keys": FatalLog(
        "keys in the environment outrank the task role, and no longer exist",
        (_OLD_KEYS,),
        guide=_FILES,
    ),
    "words-no-way-to-aws": FatalLog(
        "the task can't reach AWS's APIs",
        (_ENDPOINT,),
        guide=_FILES,
    ),
}
"""By the name of the fault that has the api container end so."""
