"""Why a task stopped: from its stop code, exit codes, reasons and last log lines to one named cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from orchestrator.aws.ecs import Task


class Cure(Enum):
    """What can make the same task definition work the next time."""

    WORKFLOW = "a step of this workflow cures it; a new deployment then works"
    OUTSIDE = "somebody must repair something outside the task definition"
    TASK_DEFINITION = "the task definition must change; starting it again would repeat it"
    TIME = "it may pass by itself"


@dataclass(frozen=True, slots=True)
class Cause:
    """A named cause. `code` is stable; `evidence` is the text it was recognised by."""

    code: str
    message: str
    fix: str
    cure: Cure
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that stopped although nobody asked it to, and the last log lines of its containers that failed."""

    task: Task
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    code: str
    message: str
    fix: str
    cure: Cure


_LOG_RULES = (
    _Rule(
        r'database "(?P<what>[^"]+)" does not exist',
        "database-missing",
        "the tenant's database did not exist when the task started",
        "the tenant-databases step creates it",
        Cure.WORKFLOW,
    ),
    _Rule(
        r'(password authentication failed for user|role) "(?P<what>[^"]+)"( does not exist)?',
        "database-login-denied",
        "PostgreSQL did not accept the tenant's role or password",
        "the tenant-databases step sets the role's password from its secret",
        Cure.WORKFLOW,
    ),
    _Rule(
        r'permission denied for (database|schema) "?(?P<what>[^"\s]+)',
        "database-permission-denied",
        "the tenant's role may not use its database",
        "the tenant-databases step makes the role its owner",
        Cure.WORKFLOW,
    ),
    _Rule(
        r"no pg_hba\.conf entry for .*no encryption",
        "database-wants-tls",
        "PostgreSQL accepts no connection without TLS (rds.force_ssl), and the task used none",
        "make the task use TLS (PGSSLMODE=require in its environment), or set rds.force_ssl = 0 in the parameter group",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"no pg_hba\.conf entry for |pg_hba\.conf rejects connection",
        "database-host-refused",
        "PostgreSQL's rules (pg_hba.conf) admit nobody from the task's address",
        "on a server of your own, add a hostssl line for the subnets of the tasks; on RDS, check role and database",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"(connection to server|postgres|psycopg|asyncpg).*"
        r"(certificate verify failed|server certificate .* does not match|root certificate file)",
        "database-certificate-untrusted",
        "the task does not trust the database server's certificate",
        "give the image AWS's bundle of authorities (global-bundle.pem), and RDS's own endpoint as POSTGRES_HOST",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"server does not support SSL, but SSL was required",
        "database-without-tls",
        "the task demands TLS of a database server that has none",
        "turn TLS on in the server (ssl = on)",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"remaining connection slots are reserved|sorry, too many clients already|too many connections for",
        "database-connections-exhausted",
        "PostgreSQL had no connection left for the task",
        "end the sessions that hold them (pg_stat_activity), or take a larger class: its memory sets max_connections",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"DiskFull|could not (extend|write|create|open|fsync) .*No space left on device",
        "database-storage-full",
        "PostgreSQL has run out of storage",
        "raise allocated_storage of the database server",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"No space left on device",
        "disk-full",
        "the task's own disk is full",
        "give the task definition more ephemeralStorage (Fargate: 20 GiB unless it says more, up to 200)",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"Can't locate revision identified by",
        "schema-newer",
        "the schema was migrated by a newer version than the one that runs",
        "run an image at least as new as the schema; migrations can't be reverted",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"Online migration expected to match one row|DuplicateTable|DuplicateColumn|alembic_version_pkc",
        "migrations-collided",
        "another task migrated the same schema at the same time",
        "start one task first (desired count 1), and the rest once it runs",
        Cure.TIME,
    ),
    _Rule(
        r"Error -\d+ connecting to (?P<what>[A-Za-z0-9.-]+):\d+",
        "redis-unreachable",
        "the name of Redis does not resolve",
        "check REDIS_HOST against the primary endpoint of the replication group",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r'(?P<what>[a-z0-9.-]+:\d+)"? ?(\([^)]*\))?.{0,40}(port \d+|to address|nodename|Name or service)',
        "database-host-has-port",
        "POSTGRES_HOST contains a port",
        "give the task the database's `address`, not its `endpoint`",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"connection to server at .*(refused|timed out|timeout expired|No route to host)|could not connect to server",
        "database-unreachable",
        "the task could not connect to PostgreSQL",
        "check that the server is available and that its security group admits the tasks' group on its port",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"WRONGPASS|NOAUTH|AUTH.*without any password|invalid username-password pair",
        "redis-auth-failed",
        "Redis did not accept the task's password",
        "the redis-auth step sets the token from its secret; check REDIS_PASSWORD in the task definition",
        Cure.WORKFLOW,
    ),
    _Rule(
        r"CERTIFICATE_VERIFY_FAILED",
        "redis-tls-mismatch",
        "the TLS settings of Redis and of the task disagree",
        'set REDIS_SSL = "true" for a group with transit encryption',
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"DB index is out of range",
        "redis-database-missing",
        "Redis has fewer databases than the number the task asks for",
        "lower REDIS_DB_NUMBER…, or make a replication group with more `databases` in its parameter group (usually 16)",
        Cure.TASK_DEFINITION,
    ),
    _Rule(
        r"(Error connecting to Redis|redis\.exceptions\.(Connection|Timeout)Error|Connection closed by server).*",
        "redis-unreachable",
        "the task could not connect to Redis",
        'check REDIS_HOST, REDIS_PORT, REDIS_SSL = "true" and the security group of Redis',
        Cure.OUTSIDE,
    ),
    _Rule(
        r"[Vv]espa.*(refused|unreachable|timed? ?out|unhealthy|not ready)|(refused|timed out).*19071|"
        r"port=(19071|8081).*(refused|timed out)",
        "vespa-unreachable",
        "the task could not reach Vespa's config server",
        "check that the container runs on the Vespa instance and that 8081 and 19071 are open to the tasks",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"AccessDenied.*(PutObject|GetObject|ListBucket|HeadBucket|s3)|NoSuchBucket",
        "s3-denied",
        "the task role may not use the bucket, or the bucket is missing",
        "check the bucket's name and the task role's policy for the tenant's prefix",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"could not translate host name|Name or service not known|Temporary failure in name resolution",
        "database-host-unknown",
        "the database's host name does not resolve",
        "check POSTGRES_HOST against the database's `address`",
        Cure.TASK_DEFINITION,
    ),
)

_REASON_RULES = (
    _Rule(
        r"toomanyrequests|429 Too Many Requests|pull rate limit",
        "registry-rate-limited",
        "the registry's rate limit was reached",
        "sign in to the registry (repositoryCredentials in the container definition), or pull through a cache of ECR",
        Cure.TIME,
    ),
    _Rule(
        r"connection issue between the task and|i/o timeout|context deadline exceeded",
        "network-unreachable",
        "the task reached neither Secrets Manager nor the registry",
        "give its subnets a default route (NAT gateway), and let its security group out on 443",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"CannotPull\w*: .*(pull access denied|403 Forbidden|not authorized to perform: ecr:)",
        "image-pull-denied",
        "the registry denies the image to the task's execution role",
        "attach AmazonECSTaskExecutionRolePolicy to it, or give repositoryCredentials; check the repository's name",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"CannotPullContainerError|CannotPullImage|CannotPullECRContainerError",
        "image-pull-failed",
        "the container image could not be pulled",
        "check that the tag exists, and the way to the registry (NAT, rate limit, permissions)",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"ResourceInitializationError.*(secret|ssm|Secrets)",
        "secret-unreadable",
        "ECS could not read a secret of the task definition",
        "check that the secret has a value and that the execution role may read it",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"ResourceInitializationError",
        "task-resources-failed",
        "ECS could not prepare the task (network, log group, volumes)",
        "check the log group, the execution role and the subnets' way out",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"InsufficientFreeAddressesInSubnet",
        "subnet-full",
        "the subnet had no free address for the task",
        "give the service a larger subnet, or one more; who holds addresses: `aws ec2 describe-network-interfaces`",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"RESOURCE:(CPU|MEMORY)|capacity is unavailable",
        "no-capacity",
        "there was no room to place the task",
        "add capacity, or make the task smaller",
        Cure.TIME,
    ),
    _Rule(
        r"failed ELB health checks|is unhealthy in \(target-group",
        "target-unhealthy",
        "the load balancer's health check failed and ECS stopped the task",
        "check the health path and port, the grace period (600 s or more) and the application's log",
        Cure.OUTSIDE,
    ),
    _Rule(
        r"[Ss]pot (interruption|[Tt]ask was interrupted)|^SpotInterruption$",
        "spot-interruption",
        "AWS reclaimed the Spot capacity",
        "none needed: ECS starts another task; to see fewer of these, give FARGATE a base in the strategy",
        Cure.TIME,
    ),
    _Rule(
        r"performing maintenance on the underlying|Host EC2 .*(terminated|stopped)|^TerminationNotice$",
        "host-taken-away",
        "AWS retired the task's host",
        "none needed: ECS starts another task elsewhere",
        Cure.TIME,
    ),
)

_OOM = Cause(
    "out-of-memory",
    "a container was killed for exceeding its memory limit",
    "raise the container's and the task's memory (guide: api 768 MB or more, task 3 GB)",
    Cure.TASK_DEFINITION,
)
_STARTS_SLOWLY = Cause(
    "killed-while-migrating",
    "the load balancer's health check gave up on the task while its migrations were still running",
    "raise the service's healthCheckGracePeriodSeconds above the time its migrations take (600 s or more)",
    Cure.TIME,
)
_ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
"""A task's states once its end is decided: its stop code and reason are there."""
_HEALTH_CHECKED = re.compile(r"health check|is unhealthy")
_MIGRATING = re.compile(r"Running upgrade \S* ?-> ")
_ON_PURPOSE = ("ServiceSchedulerInitiated", "UserInitiated")


def failed(task: Task) -> bool:
    """Whether the task's end is a failure: scale-in, replaced deployments and stops by hand are not.

    A task that is still being stopped counts already: why it ends is known.
    """
    if task.status not in _ENDING or (task.status != "STOPPED" and not task.stop_code):
        return False
    return bool(_HEALTH_CHECKED.search(task.stopped_reason)) or task.stop_code not in _ON_PURPOSE


def culprits(task: Task) -> Sequence[str]:
    """The containers whose logs can tell why: those that exited badly, else those that exited at all.

    Of a task that failed its health checks: the api, which may have been migrating.
    """
    if _HEALTH_CHECKED.search(task.stopped_reason):
        return [one.name for one in task.containers if "api" in one.name]
    bad = [one.name for one in task.containers if one.exit_code not in (None, 0)]
    return bad or [one.name for one in task.containers if one.exit_code == 0 and "Essential" in task.stopped_reason]


def classify(failure: Failure) -> Cause:
    """Name the cause. Codes and container reasons come before log lines; the newest line that matches wins."""
    task = failure.task
    reasons = [task.stopped_reason, *(one.reason for one in task.containers), task.stop_code]
    for one in task.containers:
        if "OutOfMemory" in one.reason:
            return _with(_OOM, f"container {one.name}: {one.reason} (exit {one.exit_code})")
    if _HEALTH_CHECKED.search(task.stopped_reason) and failure.log and _MIGRATING.search(failure.log[-1]):
        return _with(_STARTS_SLOWLY, failure.log[-1].strip()[:300])
    for rule in _REASON_RULES:
        for reason in reasons:
            if re.search(rule.pattern, reason):
                return _named(rule, reason)
    for line in reversed(failure.log):
        for rule in _LOG_RULES:
            if re.search(rule.pattern, line):
                return _named(rule, line)
    return _unknown(failure)


def _unknown(failure: Failure) -> Cause:
    exits = ", ".join(f"{one.name} {one.exit_code}" for one in failure.task.containers if one.exit_code is not None)
    last = failure.log[-1].strip() if failure.log else failure.task.stopped_reason
    return Cause(
        "container-exited",
        f"a container ended ({exits or failure.task.stop_code or 'no exit code'})",
        "read its log: the cause is not one of the known ones",
        Cure.OUTSIDE,
        last[:300],
    )


def _named(rule: _Rule, evidence: str) -> Cause:
    return Cause(rule.code, rule.message, rule.fix, rule.cure, " ".join(evidence.split())[:300])


def _with(cause: Cause, evidence: str) -> Cause:
    return Cause(cause.code, cause.message, cause.fix, cause.cure, evidence)
