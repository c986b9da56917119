"""What else Onyx needs at start-up: Vespa's config server, Redis, the bucket. Asked of moto, which holds them.

Simulated: Redis and Vespa do not listen here. Whether they *would* answer is decided from the security groups, the
replication group's TLS and token, and the EC2 instance behind VESPA_HOST with the container on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elasticache.models import elasticache_backends
from moto.s3.models import s3_backends

from orchestrator.local.core.cloud import ACCOUNT, PARTITION, Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.ec2 import reach
from orchestrator.local.ec2.reach import ConnectionEnd
from orchestrator.local.elasticache.moto_parameters import databases_of
from orchestrator.local.iam.permissions import allows
from orchestrator.local.ssm.instance import vespa_runs

VESPA_QUERIES = 8081
"""Where Onyx's application package serves queries; Onyx asks there before it starts to serve itself."""
REDIS_NUMBERS = {"REDIS_DB_NUMBER": 0, "REDIS_DB_NUMBER_CELERY_RESULT_BACKEND": 14, "REDIS_DB_NUMBER_CELERY": 15}
"""The databases Onyx selects, with its own defaults."""
VESPA_STARTS = 60.0
"""Seconds after its launch until an instance's Vespa answers on 19071."""


class Unavailable(Exception):
    """It does not answer as it must; the text is what Onyx logs. `final`: asking again is no use."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


@dataclass(frozen=True, slots=True)
class TaskSurroundings:
    """Where the task runs, and as whom."""

    cloud: Cloud
    region: str
    task_role: str
    task_id: str
    place: ConnectionEnd = ConnectionEnd()  # noqa: RUF009 - frozen
    group: str = ""


def ask_vespa(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> None:
    """Vespa's config server is healthy. Raises Unavailable."""
    host = environment.get("VESPA_HOST", "localhost")
    port = environment.get("VESPA_TENANT_PORT", "19071")
    instance = instance_at(host, surroundings)
    refused = (
        f"HTTPConnectionPool(host='{host}', port={port}): Max retries exceeded with url: /state/v1/health (Caused by "
        "NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))"
    )
    if instance is None or instance.state != "running" or port != "19071":
        raise Unavailable(refused)
    for asked in (int(port), VESPA_QUERIES):
        if not reach.may_connect(surroundings.region, surroundings.place, reach.instance(instance), asked):
            raise Unavailable(
                f"HTTPConnectionPool(host='{host}', port={asked}): Max retries exceeded with url: /state/v1/health "
                f"(Caused by ConnectTimeoutError('Connection to Vespa at {host} timed out. (connect timeout=5)'))"
            )
    if not vespa_runs(surroundings.cloud, instance.id):
        raise Unavailable(refused)
    launched = instance.launch_time.replace(tzinfo=Pace.now().tzinfo)
    if Pace.now() < launched + timedelta(seconds=surroundings.cloud.pace.scaled(VESPA_STARTS)):
        raise Unavailable(refused)


def instance_at(host: str, surroundings: TaskSurroundings) -> Any:
    """The instance of an index. Of two stacks' VPCs with the same addresses, that in the task's own."""
    reservations = ec2_backends[ACCOUNT][surroundings.region].all_reservations()
    instances = [i for reservation in reservations for i in reservation.instances if i.state == "running"]
    here = [i for i in instances if host in {i.private_ip, i.private_dns_name, i.public_ip}]
    own = reach.vpc(surroundings.region, surroundings.place)
    return next((i for i in here if i.vpc_id == own), next(iter(here), None))


def ask_redis(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> None:
    """The replication group accepts a connection with these settings. Raises Unavailable in redis-py's words."""
    host, port = environment.get("REDIS_HOST", "localhost"), environment.get("REDIS_PORT", "6379")
    group = _replication_group(host, surroundings.region)
    if group is None:
        text = f"redis.exceptions.ConnectionError: Error -2 connecting to {host}:{port}. Name or service not known."
        raise Unavailable(text)
    if not reach.may_connect(
        surroundings.region, surroundings.place, reach.redis(group, surroundings.region), int(port)
    ):
        text = (
            f"redis.exceptions.TimeoutError: Timeout connecting to server (Error connecting to Redis at {host}:{port})"
        )
        raise Unavailable(text)
    tls = environment.get("REDIS_SSL", "").lower() == "true"
    if group.status not in {"available", "modifying", "snapshotting"} or str(group.port) != port:
        raise Unavailable(
            f"redis.exceptions.ConnectionError: Error 111 connecting to {host}:{port}. Connection refused."
        )
    _agree_on_tls(group, environment, tls=tls, where=f"{host}:{port}")
    accepted = surroundings.cloud.redis_accepts.get(group.replication_group_id, (None,))
    _authenticate(accepted, environment.get("REDIS_PASSWORD", ""))
    for name, usual in REDIS_NUMBERS.items():
        if int(environment.get(name, usual)) >= databases_of(group):
            raise Unavailable("redis.exceptions.ResponseError: DB index is out of range", final=True)


def _replication_group(host: str, region: str) -> Any:
    for group in list(elasticache_backends[ACCOUNT][region].replication_groups.values()):
        nodes = [node.get("primary_endpoint_address", "") for node in group.node_groups]
        configuration = getattr(group, "configuration_endpoint", None) or {}
        if host in {*nodes, configuration.get("address")} - {None, ""}:
            return group
    return None


def _agree_on_tls(group: Any, environment: Mapping[str, str], *, tls: bool, where: str) -> None:
    if tls and not group.transit_encryption_enabled:
        raise Unavailable(
            f"redis.exceptions.ConnectionError: Error 1 connecting to {where}. [SSL: WRONG_VERSION_NUMBER] wrong "
            "version number (_ssl.c:1016).",
            final=True,
        )
    if group.transit_encryption_enabled and not tls:
        text = f"Error connecting to Redis: Connection refused ({where} expects TLS; Connection closed by server.)"
        raise Unavailable(text, final=True)
    checks = environment.get("REDIS_SSL_CERT_REQS", "none") != "none"
    if tls and checks and not environment.get("REDIS_SSL_CA_CERTS"):
        raise Unavailable(
            f"redis.exceptions.ConnectionError: Error 1 connecting to {where}. [SSL: CERTIFICATE_VERIFY_FAILED] "
            "certificate verify failed: unable to get local issuer certificate (_ssl.c:1016).",
            final=True,
        )


def _authenticate(accepted: tuple[str | None, ...], password: str) -> None:
    """As the server behind the address does it (redis.py)."""
    if accepted == (None,):
        if password:
            raise Unavailable(
                "redis.exceptions.AuthenticationError: AUTH <password> called without any password configured for the "
                "default user. Are you sure your configuration is correct?",
                final=True,
            )
        return
    if not password and None not in accepted:
        raise Unavailable("redis.exceptions.AuthenticationError: NOAUTH Authentication required.", final=True)
    if password and password not in accepted:
        raise Unavailable(
            "redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.",
            final=True,
        )


def ask_file_store(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> None:
    """The bucket exists, and the task role may put objects under the prefix. Raises Unavailable in botocore's words."""
    bucket = environment.get("S3_FILE_STORE_BUCKET_NAME", "")
    if not bucket:
        return
    prefix = environment.get("S3_FILE_STORE_PREFIX", "onyx-files").strip("/")
    if bucket not in s3_backends[ACCOUNT][PARTITION].buckets:
        raise Unavailable(
            "botocore.errorfactory.NoSuchBucket: An error occurred (NoSuchBucket) when calling the PutObject "
            "operation: The specified bucket does not exist",
            final=True,
        )
    resource = f"arn:{PARTITION}:s3:::{bucket}/{prefix}/public/onyx-boot"
    if not allows(surroundings.task_role, "s3:PutObject", resource):
        role = surroundings.task_role.rsplit("/", 1)[-1]
        user = f"arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{role}/{surroundings.task_id}"
        raise Unavailable(
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: "
            f'User: {user} is not authorized to perform: s3:PutObject on resource: "{resource}"',
            final=True,
        )
