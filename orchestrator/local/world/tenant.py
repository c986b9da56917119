"""One tenant of a world: its Vespa, its secret and role, its service behind the load balancer."""

from __future__ import annotations

from typing import Any

from orchestrator.local.world.foundation import login, policy, role, tags
from orchestrator.local.world.parts import Customer, Shared, WorldClients

BACKEND = "onyxdotapp/onyx-backend:v2.0.0"
WEB = "onyxdotapp/onyx-web-server:v2.0.0"
NGINX = "nginx:1.27.5-alpine"
VESPA = "vespaengine/vespa:8.609.39"
_VESPA_USER_DATA = f"""#!/bin/bash
docker run --detach --name vespa --hostname vespa-container --restart unless-stopped \\
  --env VESPA_SKIP_UPGRADE_CHECK=true \\
  --publish 8081:8081 --publish 19071:19071 \\
  --volume /opt/vespa/var:/opt/vespa/var --volume /opt/vespa/logs:/opt/vespa/logs \\
  {VESPA}
"""
"""The end of what terraform/ gives the instance."""
_AMI = "ami-0abcdef1234567890"
_API = ["/bin/sh", "-c", "alembic upgrade head && exec uvicorn onyx.main:app --host 0.0.0.0 --port 8080"]
_BACKGROUND = ["/app/scripts/supervisord_entrypoint.sh"]

Container = dict[str, Any]


def vespa(aws: WorldClients, shared: Shared, customer: Customer, snapshot: str | None = None) -> dict[str, Any]:
    """One instance a tenant; the first has the guide's name and is the runner. Returns the contract's part."""
    name = f"{shared.name}-vespa" if customer.slot == 0 else f"{shared.name}-vespa-{customer.name}"
    instance = aws.ec2.run_instances(
        ImageId=_AMI,
        InstanceType="t3.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=shared.network.private[0],
        SecurityGroupIds=[shared.network.groups["vespa"]],
        IamInstanceProfile={"Name": shared.instance_profile},
        MetadataOptions={"HttpTokens": "required"},
        UserData=_VESPA_USER_DATA,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags(shared.name, name)}],
    )["Instances"][0]
    _index_volume(aws, shared, instance["InstanceId"], f"{name}-index", snapshot)
    address = instance["PrivateIpAddress"]
    return {"instance_id": instance["InstanceId"], "host": address, "port": 8081, "config_port": 19071}


def _index_volume(aws: WorldClients, shared: Shared, instance: str, name: str, snapshot: str | None) -> None:
    """The index lives on a volume of its own and outlasts its instance."""
    volume = aws.ec2.create_volume(
        AvailabilityZone=f"{shared.region}a",
        Size=50,
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags(shared.name, name)}],
        **({"SnapshotId": snapshot} if snapshot else {}),
    )["VolumeId"]
    aws.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")


def tenant(aws: WorldClients, shared: Shared, customer: Customer, vespa_host: str) -> dict[str, Any]:
    """Everything of one tenant but its database, which Terraform does not make either. Returns the contract's part."""
    database = customer.database
    secret, _password = login(aws, shared.name, f"tenant-{customer.name}", database)
    log_group = f"{shared.log_prefix}/{customer.name}"
    aws.logs.create_log_group(logGroupName=log_group)
    target_group = _target_group(aws, shared, customer)
    definition = aws.ecs.register_task_definition(
        family=customer.name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="1024",
        memory="3072",
        executionRoleArn=shared.execution_role,
        taskRoleArn=_task_role(aws, shared, customer),
        containerDefinitions=_containers(shared, customer, vespa_host, secret, log_group),
    )["taskDefinition"]["taskDefinitionArn"]
    service = f"{customer.name}-{shared.environment}-service"
    _service(aws, shared, service, definition, target_group)
    return {
        "database": database,
        "role": database,
        "secret_arn": secret,
        "service": service,
        "hostname": customer.hostname,
        "target_group_arn": target_group,
        "log_group": log_group,
    }


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
        ListenerArn=shared.listener,
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


def _backend_variables(shared: Shared, customer: Customer, vespa_host: str) -> dict[str, str]:
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
        "VESPA_HOST": vespa_host,
        "VESPA_PORT": "8081",
        "VESPA_TENANT_PORT": "19071",
        "S3_FILE_STORE_BUCKET_NAME": shared.bucket,
        "S3_FILE_STORE_PREFIX": _prefix(customer),
        "AWS_REGION_NAME": shared.region,
        "AUTH_TYPE": "basic",
        "WEB_DOMAIN": f"https://{customer.hostname}",
        "DISABLE_MODEL_SERVER": "true",
    }


def _containers(shared: Shared, customer: Customer, vespa_host: str, secret: str, log_group: str) -> list[Container]:
    backend = {
        "environment": _pairs(_backend_variables(shared, customer, vespa_host)),
        "secrets": [
            {"name": "POSTGRES_USER", "valueFrom": f"{secret}:username::"},
            {"name": "POSTGRES_PASSWORD", "valueFrom": f"{secret}:password::"},
            {"name": "REDIS_PASSWORD", "valueFrom": shared.redis_secret},
        ],
    }
    site = f"https://{customer.hostname}"
    web = {"INTERNAL_URL": "http://localhost:8080", "HOSTNAME": "0.0.0.0", "WEB_DOMAIN": site}
    nginx = {
        "DOMAIN": customer.hostname,
        "ONYX_BACKEND_API_HOST": "localhost",
        "ONYX_WEB_SERVER_HOST": "localhost",
    }
    containers = [
        {"name": "api", "image": BACKEND, "memory": 768, "command": _API, "portMappings": _port(8080), **backend},
        {"name": "background", "image": BACKEND, "memory": 768, "command": _BACKGROUND, **backend},
        {"name": "web", "image": WEB, "memory": 512, "portMappings": _port(3000), "environment": _pairs(web)},
        {"name": "nginx", "image": NGINX, "memory": 128, "portMappings": _port(80), "environment": _pairs(nginx)},
    ]
    options = {"awslogs-group": log_group, "awslogs-region": shared.region}
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


def _service(aws: WorldClients, shared: Shared, name: str, task_definition: str, target_group: str) -> None:
    aws.ecs.create_service(
        cluster=shared.cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=1,
        launchType="FARGATE",
        healthCheckGracePeriodSeconds=600,
        tags=[{"key": one["Key"], "value": one["Value"]} for one in tags(shared.name)],
        deploymentConfiguration={
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
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
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "nginx", "containerPort": 80}],
        enableExecuteCommand=True,
    )
