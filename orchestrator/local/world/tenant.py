"""One tenant of a world: its secret and role, its service behind the load balancer, from Onyx 3 on a second one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from orchestrator.local.world.foundation import TOGETHER, login, policy, role, secret, tags
from orchestrator.local.world.indexes import OPENSEARCH, VESPA, PlacedByKind
from orchestrator.local.world.parts import Customer, Shared, WorldClients

NGINX = "nginx:1.27.5-alpine"
TAGS = {2: "v2.0.0", 3: "v3.2.1", 4: "v4.6.1"}
"""Of Onyx's images, by its major version."""
COPIES = 3
"""The major version that copies documents from one index to the other."""
_API = ["/bin/sh", "-c", "alembic upgrade head && exec uvicorn onyx.main:app --host 0.0.0.0 --port 8080"]
_BACKGROUND = ["/app/scripts/supervisord_entrypoint.sh"]

Container = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OnyxParts:
    """What its containers are made of. `onyx` is the major version, `user_auth` its sessions' secret (empty: made)."""

    indexes: PlacedByKind
    onyx: int
    login_arn: str
    log_group: str
    task_role: str
    user_auth: str = ""


def tenant(aws: WorldClients, shared: Shared, customer: Customer, indexes: PlacedByKind, onyx: int) -> dict[str, Any]:
    """Everything of one tenant but its database, which Terraform does not make either. Returns the contract's part.

    `onyx` is the major version that it runs.
    """
    database = customer.database
    login_arn, _password = login(aws, shared.name, f"tenant-{customer.name}", database)
    log_group = f"{shared.log_prefix}/{customer.name}"
    aws.logs.create_log_group(logGroupName=log_group)
    target_group = _target_group(aws, shared, customer)
    task_role = _task_role(aws, shared, customer)
    own = OnyxParts(indexes, onyx, login_arn, log_group, task_role)
    definition, background = register(aws, shared, customer, own)
    service = f"{customer.name}-{shared.environment}-service"
    _service(aws, shared, service, definition, target_group)
    workers = {"background": background_service(aws, shared, customer, background)} if background else {}
    return {
        "database": database,
        "role": database,
        "secret_arn": login_arn,
        "service": service,
        "hostname": customer.hostname,
        "target_group_arn": target_group,
        "log_group": log_group,
        **({"workers": workers} if workers else {}),
        **({"index": {OPENSEARCH: indexes[OPENSEARCH]}} if OPENSEARCH in indexes else {}),
        **_elsewhere(shared, customer),
    }


def register(aws: WorldClients, shared: Shared, customer: Customer, own: OnyxParts) -> tuple[str, str]:
    """New revisions of its task definitions: of its service's, and of background's (empty: that is in the first)."""
    containers = _containers(aws, shared, customer, own)
    apart = [one for one in containers if own.onyx > 2 and one["name"] == "background"]
    beside = [one for one in containers if one not in apart]

    def define(family: str, some: list[Container], cpu: str, memory: str) -> str:
        return str(
            aws.ecs.register_task_definition(
                family=family,
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu=cpu,
                memory=memory,
                executionRoleArn=shared.execution_role,
                taskRoleArn=own.task_role,
                containerDefinitions=some,
            )["taskDefinition"]["taskDefinitionArn"]
        )

    first = define(customer.name, beside, "1024", "3072")
    return first, define(background_family(customer), apart, "2048", "8192") if apart else ""


def background_family(customer: Customer) -> str:
    """The family of background's task definition, where it has one of its own."""
    return f"{customer.name}-background"


def background_service(aws: WorldClients, shared: Shared, customer: Customer, definition: str) -> dict[str, str]:
    """Its service, without a load balancer, as the contract has it."""
    name = f"{customer.name}-{shared.environment}-background"
    _service(aws, shared, name, definition)
    return {"service": name}


def _elsewhere(shared: Shared, customer: Customer) -> dict[str, Any]:
    """What the contract says of a tenant that is not on the first load balancer."""
    number = customer.slot // TOGETHER
    balancer = {"load_balancer": shared.balancers[number].part, "certificate": {"arn": shared.certificate}}
    return balancer if number else {}


def _target_group(aws: WorldClients, shared: Shared, customer: Customer) -> str:
    """The guide's health check, on the one path that means something: nginx's `/api/health`."""
    group = aws.elbv2.create_target_group(
        Name=f"{customer.name}-{shared.environment}-tg",
        Protocol="HTTP",
        Port=80,
        VpcId=shared.network.vpc,
        TargetType="ip",
        HealthCheckPath="/api/health",
        HealthCheckIntervalSeconds=60,
        HealthCheckTimeoutSeconds=30,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=10,
        Matcher={"HttpCode": "200-299"},
    )["TargetGroups"][0]["TargetGroupArn"]
    aws.elbv2.create_rule(
        ListenerArn=shared.balancers[customer.slot // TOGETHER].listener,
        Priority=100 + customer.slot,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [customer.hostname]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(group)


def _task_role(aws: WorldClients, shared: Shared, customer: Customer) -> str:
    """May use the tenant's prefix of the bucket and nothing else."""
    role_name = f"{shared.name}-{customer.name}-task"
    arn = role(aws, role_name, "ecs-tasks.amazonaws.com")
    bucket = f"arn:{arn.split(':')[1]}:s3:::{shared.bucket}"
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    only = {"StringLikeIfExists": {"s3:prefix": [f"{_prefix(customer)}/*"]}}
    policy(
        aws,
        role_name,
        "s3-file-store-access",
        {"Action": objects, "Resource": f"{bucket}/{_prefix(customer)}/*"},
        {"Action": "s3:ListBucket", "Resource": bucket, "Condition": only},
    )
    return arn


def _prefix(customer: Customer) -> str:
    return f"onyx-files/{customer.name}"


def _backend_variables(shared: Shared, customer: Customer, own: OnyxParts) -> dict[str, str]:
    """The environment of api and background. Three Redis databases a tenant: they share one Redis."""
    first = 3 * customer.slot
    return {
        "POSTGRES_HOST": shared.database_host,
        "POSTGRES_PORT": "5432",
        "POSTGRES_DB": customer.database,
        "REDIS_HOST": shared.redis_host,
        "REDIS_PORT": "6379",
        "REDIS_SSL": "true",
        "REDIS_DB_NUMBER": str(first),
        "REDIS_DB_NUMBER_CELERY_RESULT_BACKEND": str(first + 1),
        "REDIS_DB_NUMBER_CELERY": str(first + 2),
        **_index_variables(own),
        "S3_FILE_STORE_BUCKET_NAME": shared.bucket,
        "S3_FILE_STORE_PREFIX": _prefix(customer),
        "AWS_REGION_NAME": shared.region,
        "AUTH_TYPE": "basic",
        "WEB_DOMAIN": f"https://{customer.hostname}",
        "DISABLE_MODEL_SERVER": "true",
    }


def _index_variables(own: OnyxParts) -> dict[str, str]:
    """Onyx 4 is told of no Vespa, though one may be kept."""
    found: dict[str, str] = {}
    if (vespa := own.indexes.get(VESPA)) and own.onyx <= COPIES:
        found |= {"VESPA_HOST": vespa["host"], "VESPA_PORT": "8081", "VESPA_TENANT_PORT": "19071"}
    if opensearch := own.indexes.get(OPENSEARCH):
        found |= {"OPENSEARCH_HOST": opensearch["host"], "OPENSEARCH_REST_API_PORT": "9200"}
        found |= {"OPENSEARCH_ADMIN_USERNAME": "admin", "OPENSEARCH_USE_SSL": "true"}
        found |= {"OPENSEARCH_VERIFY_CERTS": "false"}
        found |= {"ENABLE_OPENSEARCH_INDEXING_FOR_ONYX": "true"} if own.onyx == COPIES else {}
    return found


def _secrets(aws: WorldClients, shared: Shared, customer: Customer, own: OnyxParts) -> dict[str, str]:
    found = {
        "POSTGRES_USER": f"{own.login_arn}:username::",
        "POSTGRES_PASSWORD": f"{own.login_arn}:password::",
        "REDIS_PASSWORD": shared.redis_secret,
    }
    if opensearch := own.indexes.get(OPENSEARCH):
        found["OPENSEARCH_ADMIN_PASSWORD"] = f"{opensearch['secret_arn']}:password::"
    if own.onyx > 2:
        made = own.user_auth or secret(aws, shared.name, f"user-auth-{customer.name}", secrets.token_hex(24))
        found["USER_AUTH_SECRET"] = made
    return found


def _containers(aws: WorldClients, shared: Shared, customer: Customer, own: OnyxParts) -> list[Container]:
    onyx, given = own.onyx, _secrets(aws, shared, customer, own)
    backend = {
        "image": f"onyxdotapp/onyx-backend:{TAGS[onyx]}",
        "environment": _pairs(_backend_variables(shared, customer, own)),
        "secrets": [{"name": name, "valueFrom": place} for name, place in given.items()],
    }
    api, background = (768, 768) if onyx == 2 else (2048, 8192)
    site = f"https://{customer.hostname}"
    web = {"INTERNAL_URL": "http://localhost:8080", "HOSTNAME": "0.0.0.0", "WEB_DOMAIN": site}
    nginx = {
        "DOMAIN": customer.hostname,
        "ONYX_BACKEND_API_HOST": "localhost",
        "ONYX_WEB_SERVER_HOST": "localhost",
    }
    containers = [
        {"name": "api", "memory": api, "command": _API, "portMappings": _port(8080), **backend},
        {"name": "background", "memory": background, "command": _BACKGROUND, **backend},
        {
            "name": "web",
            "image": f"onyxdotapp/onyx-web-server:{TAGS[onyx]}",
            "memory": 512,
            "portMappings": _port(3000),
            "environment": _pairs(web),
        },
        {"name": "nginx", "image": NGINX, "memory": 128, "portMappings": _port(80), "environment": _pairs(nginx)},
    ]
    options = {"awslogs-group": own.log_group, "awslogs-region": shared.region}
    return [
        {
            "essential": True,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {**options, "awslogs-stream-prefix": str(container["name"])},
            },
            **container,
        }
        for container in containers
    ]


def _pairs(variables: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _port(number: int) -> list[dict[str, Any]]:
    return [{"containerPort": number, "protocol": "tcp"}]


def _service(aws: WorldClients, shared: Shared, name: str, task_definition: str, target_group: str = "") -> None:
    """Behind the load balancer, where there is a target group."""
    entrance: dict[str, Any] = {
        "healthCheckGracePeriodSeconds": 600,
        "loadBalancers": [{"targetGroupArn": target_group, "containerName": "nginx", "containerPort": 80}],
    }
    aws.ecs.create_service(
        cluster=shared.cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=1,
        launchType="FARGATE",
        tags=[{"key": one["Key"], "value": one["Value"]} for one in tags(shared.name)],
        deploymentConfiguration={
            # Of background there is one task at a time: its scheduler must be the only one.
            "minimumHealthyPercent": 100 if target_group else 0,
            "maximumPercent": 200 if target_group else 100,
            # A rollback would go back to a schema older than the database's.
            "deploymentCircuitBreaker": {"enable": True, "rollback": False},
        },
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": shared.network.private,
                "securityGroups": [shared.network.groups["tasks"]],
                "assignPublicIp": "DISABLED",
            }
        },
        enableExecuteCommand=True,
        **(entrance if target_group else {}),
    )
