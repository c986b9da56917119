from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.waiting import until

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
TOKEN = "a-token-of-the-test-suite"
PASSWORD = "only-for-the-tests"


@dataclass
class Stack:
    """One database server, one Redis, one Vespa, one bucket, one load balancer: made once, shared by the tenants."""

    cloud: Any
    aws: Any
    network: dict[str, Any] = field(default_factory=dict)
    database_host: str = ""
    redis_host: str = ""
    vespa_host: str = ""
    bucket: str = "onyx-test-files"
    listener: str = ""
    execution_role: str = ""
    redis_secret: str = ""

    def client(self, name: str) -> Any:
        return self.aws.client(name)

    def admin(self) -> psycopg.Connection:
        return self.connect("onyx_root", PASSWORD, "postgres")

    def connect(self, user: str, password: str, database: str) -> psycopg.Connection:
        ip, port = self.cloud.ask("env")["ORCHESTRATE_DATABASE_ADDRESS"].rsplit(":", 1)
        return psycopg.connect(host=ip, port=int(port), user=user, password=password, dbname=database, autocommit=True)

    def secret(self, name: str, value: str) -> str:
        arn: str = self.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
        return arn

    def role(self, name: str, *statements: dict[str, Any]) -> str:
        iam = self.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        return arn


def build(cloud: Any, aws: Any) -> Stack:
    stack = Stack(cloud, aws)
    ec2, rds, redis, elb = (stack.client(name) for name in ("ec2", "rds", "elasticache", "elbv2"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    _way_out(ec2, vpc, subnets[0])
    group = ec2.create_security_group(GroupName="tasks", Description="tasks", VpcId=vpc)["GroupId"]
    anybody = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[anybody])
    stack.network = {"vpc": vpc, "subnets": subnets, "securityGroups": [group]}
    rds.create_db_instance(
        DBInstanceIdentifier="onyx-prod-postgres",
        Engine="postgres",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        MasterUsername="onyx_root",
        MasterUserPassword=PASSWORD,
    )
    redis.create_replication_group(
        ReplicationGroupId="onyx-prod-redis",
        ReplicationGroupDescription="redis",
        Engine="redis",
        CacheNodeType="cache.t4g.micro",
        NumCacheClusters=1,
        TransitEncryptionEnabled=True,
        AuthToken=TOKEN,
    )
    stack.vespa_host = ec2.run_instances(
        ImageId="ami-12c6146b", InstanceType="t3.large", MinCount=1, MaxCount=1, SubnetId=subnets[0]
    )["Instances"][0]["PrivateIpAddress"]
    balancer = elb.create_load_balancer(Name="onyx-prod-alb", Subnets=subnets)["LoadBalancers"][0]
    stack.listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    stack.client("s3").create_bucket(Bucket=stack.bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    stack.redis_secret = stack.secret("redis-token", TOKEN)
    stack.execution_role = stack.role(
        "execution",
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "logs:CreateLogStream"], "Resource": "*"},
    )
    stack.client("ecs").create_cluster(clusterName="onyx-prod-cluster")
    database = until("RDS is available", lambda: _available(rds))
    stack.database_host = database["Endpoint"]["Address"]
    stack.redis_host = until("Redis is available", lambda: _redis_host(redis))
    return stack


def _way_out(ec2: Any, vpc: str, subnet: str) -> None:
    """A NAT gateway behind the main route table: without a way out no task starts."""
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)


def _available(rds: Any) -> dict[str, Any] | None:
    found: dict[str, Any] = rds.describe_db_instances()["DBInstances"][0]
    return found if found["DBInstanceStatus"] == "available" else None


def _redis_host(redis: Any) -> str:
    group = redis.describe_replication_groups()["ReplicationGroups"][0]
    return group["NodeGroups"][0]["PrimaryEndpoint"]["Address"] if group["Status"] == "available" else ""


@dataclass
class Tenant:
    """A tenant's service, target group, secret and database."""

    stack: Stack
    name: str
    settings: dict[str, str] = field(default_factory=dict)
    image_tag: str = "v2.5.0"
    task_definition: str = ""
    target_group: str = ""
    execution: str = ""
    secret_key: str = "password"
    redis_secret: str = ""
    log_group: str = ""
    cluster: str = "onyx-prod-cluster"

    @property
    def service(self) -> str:
        return f"{self.name}-prod-service"

    @property
    def database(self) -> str:
        return "onyx_" + self.name.replace("-", "_")

    @property
    def ecs(self) -> Any:
        return self.stack.client("ecs")

    def create_role(self) -> None:
        with self.stack.admin() as admin:
            role = sql.Identifier(self.database)
            known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (self.database,)).fetchone()
            if not known:
                admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD)))
                admin.execute(sql.SQL("GRANT {} TO onyx_root").format(role))

    def create_database(self) -> None:
        self.create_role()
        with self.stack.admin() as admin:
            name = sql.Identifier(self.database)
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, name))

    def connect(self) -> psycopg.Connection:
        return self.stack.connect(self.database, PASSWORD, self.database)

    def prepare(self) -> Tenant:
        """Everything but the database and the service."""
        logs, elb = self.stack.client("logs"), self.stack.client("elbv2")
        logs.create_log_group(logGroupName=f"/ecs/{self.name}")
        self.target_group = elb.create_target_group(
            Name=f"{self.name}-tg",
            Protocol="HTTP",
            Port=80,
            VpcId=self.stack.network["vpc"],
            TargetType="ip",
            HealthCheckPath="/api/health",
            HealthCheckIntervalSeconds=60,
            HealthCheckTimeoutSeconds=30,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=3,
            Matcher={"HttpCode": "200"},
        )["TargetGroups"][0]["TargetGroupArn"]
        elb.modify_target_group_attributes(
            TargetGroupArn=self.target_group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        self.register()
        return self

    def register(self) -> None:
        """A new revision of the task definition, from what the tenant says now."""
        said = dict(self.settings)
        password = said.pop("POSTGRES_PASSWORD_SECRET", PASSWORD)
        secret = self._secret(json.dumps({"username": self.database, "password": password}))
        token = said.pop("REDIS_PASSWORD_SECRET", None)
        redis = self.redis_secret or (
            self.stack.redis_secret if token is None else self._secret(json.dumps({"t": token}))
        )
        redis = redis if token is None else f"{redis}:t::"
        environment = {
            "POSTGRES_HOST": self.stack.database_host,
            "POSTGRES_PORT": "5432",
            "POSTGRES_DB": self.database,
            "REDIS_HOST": self.stack.redis_host,
            "REDIS_PORT": "6379",
            "REDIS_SSL": "true",
            "VESPA_HOST": self.stack.vespa_host,
            "S3_FILE_STORE_BUCKET_NAME": self.stack.bucket,
            "S3_FILE_STORE_PREFIX": self.name,
            "WEB_DOMAIN": f"https://{self.name}.vigilon.app",
            **said,
        }
        backend: dict[str, Any] = {
            "image": f"onyxdotapp/onyx-backend:{self.image_tag}",
            "environment": [{"name": key, "value": value} for key, value in environment.items()],
            "secrets": [
                {"name": "POSTGRES_USER", "valueFrom": f"{secret}:username::"},
                {"name": "POSTGRES_PASSWORD", "valueFrom": f"{secret}:{self.secret_key}::"},
                {"name": "REDIS_PASSWORD", "valueFrom": redis},
            ],
        }
        definitions = [
            {"name": "api", **backend, "portMappings": [{"containerPort": 8080}]},
            {"name": "background", **backend},
            {"name": "web", "image": "onyxdotapp/onyx-web-server:v2.5.0", "portMappings": [{"containerPort": 3000}]},
            {"name": "nginx", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}]},
        ]
        group = self.log_group or f"/ecs/{self.name}"
        options = {"awslogs-group": group, "awslogs-region": "us-west-2", "awslogs-stream-prefix": "ecs"}
        log = {"logDriver": "awslogs", "options": options}
        self.task_definition = self.ecs.register_task_definition(
            family=self.name,
            cpu="1024",
            memory="3072",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            executionRoleArn=self.execution or self.stack.execution_role,
            taskRoleArn=self._task_role(),
            containerDefinitions=[{**entry, "logConfiguration": log} for entry in definitions],
        )["taskDefinition"]["taskDefinitionArn"]

    def _secret(self, value: str) -> str:
        return self.stack.secret(f"{self.name}-{uuid.uuid4().hex[:6]}", value)

    def _task_role(self) -> str:
        where = f"arn:aws:s3:::{self.stack.bucket}/{self.name}/*"
        return self.stack.role(
            f"{self.name}-{uuid.uuid4().hex[:6]}", {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": where}
        )

    def create(self, *, desired: int = 1, grace: int = 600, rollback: bool = False) -> dict[str, Any]:
        network = {"subnets": self.stack.network["subnets"], "securityGroups": self.stack.network["securityGroups"]}
        created: dict[str, Any] = self.ecs.create_service(
            cluster=self.cluster,
            serviceName=self.service,
            taskDefinition=self.task_definition,
            desiredCount=desired,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {**network, "assignPublicIp": "DISABLED"}},
            loadBalancers=[{"targetGroupArn": self.target_group, "containerName": "nginx", "containerPort": 80}],
            healthCheckGracePeriodSeconds=grace,
            enableExecuteCommand=True,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": rollback}},
        )["service"]
        return created

    def update(self, **changes: Any) -> dict[str, Any]:
        updated: dict[str, Any] = self.ecs.update_service(cluster=self.cluster, service=self.service, **changes)[
            "service"
        ]
        return updated

    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster=self.cluster, services=[self.service])["services"][0]
        return found

    def primary(self) -> dict[str, Any]:
        found: dict[str, Any] = next(d for d in self.now()["deployments"] if d["status"] == "PRIMARY")
        return found

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.service, desiredStatus=status)["taskArns"]
        if not arns:
            return []
        found: list[dict[str, Any]] = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
        return found

    def until_state(self, state: str) -> dict[str, Any]:
        primary: dict[str, Any] = until(
            f"the rollout of {self.service} is {state}",
            lambda: seen if (seen := self.primary())["rolloutState"] == state else None,
        )
        return primary

    def until_stopped(self) -> dict[str, Any]:
        """A task that is STOPPED."""
        task: dict[str, Any] = until(
            f"a task of {self.service} stopped",
            lambda: next((task for task in self.tasks("STOPPED") if task["lastStatus"] == "STOPPED"), None),
        )
        return task

    def health(self) -> list[dict[str, Any]]:
        answer = self.stack.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        found: list[dict[str, Any]] = answer["TargetHealthDescriptions"]
        return found

    def log(self, container: str = "api") -> str:
        events = self.stack.client("logs").filter_log_events(
            logGroupName=f"/ecs/{self.name}", logStreamNamePrefix=f"ecs/{container}/"
        )["events"]
        return "\n".join(event["message"] for event in events)

    def events(self) -> list[str]:
        return [event["message"] for event in self.now()["events"]]


@pytest.fixture(scope="module")
def stack(cloud: Any, aws: Any) -> Stack:
    return build(cloud, aws)


@pytest.fixture
def tenant(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    """A tenant of the test's own, without database and service."""
    made = Tenant(stack, f"customer-{uuid.uuid4().hex[:6]}").prepare()
    yield made
    stack.cloud.ask("faults", method="DELETE")
    services = made.ecs.describe_services(cluster=made.cluster, services=[made.service])["services"]
    if services and services[0]["status"] == "ACTIVE":
        made.ecs.delete_service(cluster=made.cluster, service=made.service, force=True)
