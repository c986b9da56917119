"""Causes by their texts: what AWS, PostgreSQL, redis-py and botocore write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.aws.ecs import Container, Task
from orchestrator.rollout.diagnosis import Failure, RepairedBy, classify, culprits, failed

EXITED = "Essential container in task exited"


def task(reason: str = EXITED, code: str = "EssentialContainerExited", *containers: Container) -> Task:
    return Task(
        "arn:task/1", "ecs-svc/1", "td:1", "STOPPED", stop_code=code, stopped_reason=reason, containers=containers
    )


LOGS = [
    ("database-missing", 'FATAL:  database "onyx_customer_a" does not exist'),
    ("database-login-denied", 'FATAL:  password authentication failed for user "onyx_customer_a"'),
    ("database-login-denied", 'FATAL:  role "onyx_customer_a" does not exist'),
    ("database-connect-revoked", 'FATAL:  permission denied for database "onyx_customer_a"'),
    ("database-permission-denied", 'ERROR:  permission denied for database "onyx_customer_a"'),
    ("database-permission-denied", "(psycopg2.errors.InsufficientPrivilege) permission denied for schema public"),
    (
        "database-host-has-port",
        'could not translate host name "xxx.rds.amazonaws.com:5432" to address: Name or service not known',
    ),
    (
        "database-host-has-port",
        'Is the server running on host "xxx.rds.amazonaws.com:5432" and accepting TCP/IP connections on port 5432?',
    ),
    ("redis-auth-failed", "redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled."),
    ("redis-auth-failed", "WRONGPASS invalid username-password pair"),
    ("redis-auth-failed", "redis.exceptions.AuthenticationError: NOAUTH Authentication required."),
    ("container-exited", "SSL: CERTIFICATE_VERIFY_FAILED"),
    ("redis-certificate-untrusted", "redis: Error 1 connecting to r.example.com:6379. CERTIFICATE_VERIFY_FAILED"),
    ("redis-unreachable", "Error connecting to Redis: Connection refused"),
    ("vespa-unreachable", "Vespa: Readiness probe ongoing: connection refused vespa:19071"),
    ("s3-denied", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"),
    ("s3-denied", "An error occurred (NoSuchBucket) when calling the HeadBucket operation"),
    ("database-unreachable", 'connection to server at "db" (10.0.0.1), port 5432 failed: Connection timed out'),
    ("database-unreachable", 'connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused'),
    (
        "database-connections-exhausted",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    ("database-connections-exhausted", "FATAL:  sorry, too many clients already"),
    (
        "database-wants-tls",
        (
            'connection to server at "db" (10.0.1.5), port 5432 failed: FATAL:  no pg_hba.conf entry for host "x", '
            'user "onyx", database "onyx", no encryption'
        ),
    ),
    (
        "database-wants-tls",
        (
            "asyncpg.exceptions.InvalidAuthorizationSpecificationError: "
            'no pg_hba.conf entry for host "10.0.2.7", user "onyx", database "onyx", SSL off, no encryption'
        ),
    ),
    (
        "database-host-refused",
        'FATAL:  no pg_hba.conf entry for host "10.0.2.7", user "onyx", database "onyx", SSL encryption',
    ),
    (
        "database-host-refused",
        'FATAL:  pg_hba.conf rejects connection for host "10.0.2.7", user "onyx", SSL encryption',
    ),
    (
        "database-certificate-untrusted",
        'connection to server at "db" (10.0.1.5), port 5432 failed: SSL error: certificate verify failed',
    ),
    (
        "database-bundle-missing",
        'connection to server at "db" (10.0.1.5), port 5432 failed: root certificate file "/root.crt" does not exist',
    ),
    (
        "database-without-tls",
        'connection to server at "db" (10.0.1.5), port 5432 failed: server does not support SSL, but SSL was required',
    ),
    ("database-storage-full", 'could not extend file "base/1/2": No space left on device'),
    (
        "database-storage-full",
        'psycopg2.errors.DiskFull: could not extend file "base/16401/2": No space left',
    ),
    ("database-storage-full", 'PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device'),
    ("disk-full", "OSError: [Errno 28] No space left on device: '/app/.cache/huggingface/hub/blobs/model.incomplete'"),
    ("disk-full", "RuntimeError: Data processing error: IO Error: No space left on device (os error 28)"),
    ("redis-unreachable", "ConnectionError: Error -2 connecting to r.example.com:6379. Name or service not known."),
    ("redis-unreachable", "Error -3 connecting to r.example.com:6379. Temporary failure in name resolution."),
    ("database-host-unknown", 'could not translate host name "db" to address: Temporary failure in name resolution'),
    ("schema-newer", "alembic.util.exc.CommandError: Can't locate revision identified by 'f32615f71aeb'"),
    ("migrations-collided", '(psycopg2.errors.DuplicateTable) relation "connector" already exists'),
    (
        "migrations-collided",
        (
            "alembic.util.exc.CommandError: Online migration expected to match one row when updating 'a' to 'b' in "
            "'alembic_version'; 0 found"
        ),
    ),
    ("redis-database-missing", "redis.exceptions.ResponseError: DB index is out of range"),
    ("redis-unreachable", "redis.exceptions.TimeoutError: Timeout connecting to server"),
    ("vespa-unreachable", "HTTPConnectionPool(host='10.0.10.5', port=8081): … timed out. (connect timeout=5)"),
    ("container-exited", "ValueError: something new"),
]


@pytest.mark.parametrize(("code", "line"), LOGS)
def test_by_log(code: str, line: str) -> None:
    failure = Failure(task(EXITED, "EssentialContainerExited", Container("api", "STOPPED", 1)), ("INFO: boot", line))
    assert classify(failure).code == code
    assert " ".join(line.split()) in classify(failure).evidence


REASONS = [
    (
        "subnet-full",
        "TaskFailedToStart",
        (
            "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': "
            "InsufficientFreeAddressesInSubnet"
        ),
    ),
    ("image-pull-failed", "TaskFailedToStart", "CannotPullContainerError: pull image manifest has been retried"),
    (
        "secret-unreadable",
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
    ),
    (
        "registry-rate-limited",
        "TaskFailedToStart",
        (
            "CannotPullContainerError: 429 Too Many Requests - Server message: toomanyrequests: You have reached your "
            "unauthenticated pull rate limit."
        ),
    ),
    (
        "network-unreachable",
        "TaskFailedToStart",
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: There is a connection issue between "
            "the task and AWS Secrets Manager. Check your task network configuration."
        ),
    ),
    (
        "image-pull-denied",
        "TaskFailedToStart",
        "CannotPullContainerError: Error response from daemon: pull access denied for onyx, repository does not exist",
    ),
    ("task-resources-failed", "TaskFailedToStart", "ResourceInitializationError: failed to validate logger args"),
    ("no-capacity", "TaskFailedToStart", "Capacity is unavailable at this time. RESOURCE:MEMORY"),
    ("target-unhealthy", "ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:x)"),
    ("spot-interruption", "SpotInterruption", "Your Spot Task was interrupted: Spot interruption."),
    ("spot-interruption", "TerminationNotice", "Your Spot Task was interrupted."),
    ("spot-interruption", "SpotInterruption", ""),
    (
        "host-taken-away",
        "TerminationNotice",
        "ECS is performing maintenance on the underlying infrastructure hosting the task.",
    ),
    ("host-taken-away", "EssentialContainerExited", "Host EC2 (instance i-0123) terminated."),
]


@pytest.mark.parametrize(("code", "stop", "reason"), REASONS)
def test_by_reason(code: str, stop: str, reason: str) -> None:
    assert failed(task(reason, stop))
    assert classify(Failure(task(reason, stop))).code == code


SAID = json.loads((Path(__file__).parents[2] / "cases" / "stop-reasons" / "ecs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("code", "reason"), SAID)
def test_what_ecs_says_is_read_wherever_it_says_it(code: str, reason: str) -> None:
    """As the task's stopped reason, and as a container's."""
    assert classify(Failure(task(reason, "TaskFailedToStart"))).code == code
    begun = task("Task failed to start", "TaskFailedToStart", Container("api", "STOPPED", None, reason))
    assert classify(Failure(begun)).code == code


@pytest.mark.parametrize(
    ("code", "status"), [("command-not-executable", 126), ("command-missing", 127), ("processor-too-old", 132)]
)
def test_an_exit_code_tells_where_no_line_does(code: str, status: int) -> None:
    ended = task(EXITED, "EssentialContainerExited", Container("api", "STOPPED", status))
    assert classify(Failure(ended, ("INFO: boot",))).code == code
    assert classify(Failure(ended, (LOGS[0][1],))).code == LOGS[0][0]


def test_memory_outranks_the_log() -> None:
    killed = Container("api", "STOPPED", 137, "OutOfMemoryError: Container killed due to memory usage")
    cause = classify(Failure(task(EXITED, "EssentialContainerExited", killed), (LOGS[0][1],)))
    assert (cause.code, cause.repaired_by) == ("out-of-memory", RepairedBy.TASK_DEFINITION)


def test_137_alone_is_not_memory() -> None:
    assert classify(Failure(task(EXITED, "X", Container("api", "STOPPED", 137)))).code == "container-exited"


def test_the_newest_line_that_matches_wins() -> None:
    lines = (LOGS[0][1], "Error connecting to Redis: Connection refused")
    assert classify(Failure(task(), lines)).code == "redis-unreachable"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)"),
        ("UserInitiated", "Task stopped by user"),
    ],
)
def test_a_stop_on_purpose_is_no_failure(code: str, reason: str) -> None:
    assert not failed(task(reason, code))


def test_the_logs_worth_reading_are_those_of_who_exited_badly() -> None:
    both = task(EXITED, "X", Container("api", "STOPPED", 1), Container("web", "STOPPED", 0))
    assert culprits(both) == ["api"]
    assert culprits(task(EXITED, "X", Container("web", "STOPPED", 0), Container("api", "STOPPED"))) == ["web"]


UPGRADE = "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, add a table"
SICK = "Task failed ELB health checks in (target-group arn:x)"


@pytest.mark.parametrize(
    ("code", "log"),
    [
        ("killed-while-migrating", ("INFO: boot", UPGRADE)),
        ("target-unhealthy", (UPGRADE, "INFO: Uvicorn running on http://0.0.0.0:8080")),
        ("target-unhealthy", ()),
    ],
)
def test_a_slow_start_is_told_from_a_sick_task(code: str, log: tuple[str, ...]) -> None:
    assert classify(Failure(task(SICK, "ServiceSchedulerInitiated"), log)).code == code


def test_the_log_of_a_task_that_failed_its_health_checks_is_the_apis() -> None:
    both = task(SICK, "ServiceSchedulerInitiated", Container("web", "STOPPED", 1), Container("api", "STOPPED", 137))
    assert culprits(both) == ["api"]


@pytest.mark.parametrize(
    ("status", "code", "is_failure"),
    [
        ("RUNNING", "", False),
        ("DEACTIVATING", "", False),
        ("DEACTIVATING", "EssentialContainerExited", True),
        ("DEPROVISIONING", "EssentialContainerExited", True),
        ("STOPPING", "ServiceSchedulerInitiated", False),
        ("STOPPED", "EssentialContainerExited", True),
    ],
)
def test_a_task_that_is_being_stopped_counts_as_soon_as_it_is_known_why(
    status: str, code: str, is_failure: bool
) -> None:
    assert failed(replace(task(EXITED, code), status=status)) is is_failure
