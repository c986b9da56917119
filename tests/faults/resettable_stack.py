"""A stack of three tenants in a local cloud that is put back to its first day in a moment, as often as wanted.

The first day is what Terraform leaves: no tenant database, no DNS record, no Redis token, and services whose first
rollout has failed for want of their database, so that each needs exactly one redeploy. The third tenant's name is at
Porkbun, the others' are in Route 53. What AWS shows is late, and its rates count in real seconds.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3
from psycopg import sql

from orchestrator.database.model import READONLY_ROLE
from orchestrator.engine.lock import LockOwner
from orchestrator.local import world
from orchestrator.local.core.caller import OBSERVER
from orchestrator.local.endpoint import client
from orchestrator.terraform import lock_places
from tests.e2e.canary import Needles, files_below, leaks, values_in
from tests.faults.fork_server import Ended, ForkServer
from tests.faults.interceptor import Injection
from tests.local.local_cloud import LocalCloud, aws_of
from tests.waiting import until

SPEED = 400.0
TENANTS = ("customer-a", "customer-b", "customer-c")
AT_PORKBUN, PORKBUN_ZONE = "customer-c", "porkbun.example"
STATES = "onyx-terraform-states"
ENVIRONMENT = threading.Lock()
"""Held while the process's environment is a stage's: there is one environment for all stages."""
FOR_EVER = 86_400
"""Seconds of grace: a machine that is busy must not make a task look sick."""


@dataclass
class ResettableStack:
    """One cloud, one stack, many first days."""

    cloud: LocalCloud
    fork_server: ForkServer
    folder: Path
    contract: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def client(self, service: str) -> Any:
        return aws_of(self.cloud).client(service)

    def build(self) -> None:
        """The stack, once."""
        self.contract = world.build(aws_of(self.cloud).session, endpoint=self.cloud.running.endpoint, tenants=TENANTS)
        self._move_to_porkbun()
        (self.folder / "contract.json").write_text(json.dumps(self.contract))
        told = self.cloud.ask("env") | {"AWS_SECRET_ACCESS_KEY": "canary-of-the-callers-own-credentials"}
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **told}
        region = {"LocationConstraint": told["AWS_DEFAULT_REGION"]}
        self.client("s3").create_bucket(Bucket=STATES, CreateBucketConfiguration=region)
        for service in self.services():
            self.client("ecs").update_service(
                cluster=self.contract["cluster"], service=service, healthCheckGracePeriodSeconds=FOR_EVER
            )
        until("RDS is available", lambda: self._instance()["DBInstanceStatus"] == "available")
        until("Redis is available", lambda: self._redis()["Status"] == "available")
        runner = [{"Key": "InstanceIds", "Values": [self.contract["runner"]["instance_id"]]}]
        ssm = self.client("ssm")
        until(
            "the runner is online", lambda: ssm.describe_instance_information(Filters=runner)["InstanceInformationList"]
        )

    def _move_to_porkbun(self) -> None:
        """The third tenant gets a name in a zone of another provider: certificate, listener's rule, contract."""
        elbv2, tenants = self.client("elbv2"), self.contract["tenants"]
        before, name = tenants[AT_PORKBUN]["hostname"], f"{AT_PORKBUN}.{PORKBUN_ZONE}"
        tenants[AT_PORKBUN] |= {"hostname": name, "dns": {"provider": "porkbun", "zone": PORKBUN_ZONE, "ttl": 600}}
        names = [tenant["hostname"] for tenant in tenants.values()]
        certificate = self.client("acm").request_certificate(
            DomainName=names[0], SubjectAlternativeNames=names[1:], ValidationMethod="DNS"
        )["CertificateArn"]
        balancer = self.contract["load_balancer"]["arn"]
        listeners = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        listener = next(one["ListenerArn"] for one in listeners if one["Port"] == 443)
        elbv2.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])
        self.contract["certificate"]["arn"] = certificate
        for rule in elbv2.describe_rules(ListenerArn=listener)["Rules"]:
            if any(before in one.get("HostHeaderConfig", {}).get("Values", ()) for one in rule["Conditions"]):
                condition = {"Field": "host-header", "HostHeaderConfig": {"Values": [name]}}
                elbv2.modify_rule(RuleArn=rule["RuleArn"], Conditions=[condition])

    def services(self) -> list[str]:
        """By tenant, in their order."""
        return [self.contract["tenants"][tenant]["service"] for tenant in TENANTS]

    def _instance(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("rds").describe_db_instances()["DBInstances"][0]
        return found

    def _redis(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.client("elasticache").describe_replication_groups()["ReplicationGroups"]
        return found[0] if found else {"Status": "gone"}

    def described(self) -> list[dict[str, Any]]:
        """The services now."""
        cluster, names = self.contract["cluster"], self.services()
        found: list[dict[str, Any]] = self.client("ecs").describe_services(cluster=cluster, services=names)["services"]
        return found

    def admin(self) -> psycopg.Connection[Any]:
        """As the server's master user."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.contract["database"]["admin_secret_arn"])
        return self._login(self.contract["database"]["admin_user"], secret["SecretString"], "postgres")

    def _login(self, user: str, secret: str, database: str) -> psycopg.Connection[Any]:
        ip, port = self.environment["ORCHESTRATE_DATABASE_ADDRESS"].rsplit(":", 1)
        password, authority = json.loads(secret)["password"], self.environment["PGSSLROOTCERT"]
        place = f"host={ip} port={port} sslmode=verify-ca sslrootcert={authority}"
        return psycopg.connect(place, dbname=database, user=user, password=password, autocommit=True)

    # The first day again.

    def reset(self, state: str = "none") -> Path:
        """Everything as on the first day; a folder to run in, empty, or (`s3`) with what `terraform init` notes."""
        self._scale(0)
        self._forget_records()
        self._forget_token()
        until(
            "no task is left",
            lambda: all(
                len(one["deployments"]) == 1 and not one["runningCount"] + one["pendingCount"]
                for one in self.described()
            ),
        )
        self._forget_databases()
        self._scale(1)
        until("every rollout failed", lambda: all(_states(one) == ["FAILED"] for one in self.described()))
        until("Redis is available", lambda: self._redis()["Status"] == "available")
        folder = self.folder / f"run-{next(self.numbers)}"
        folder.mkdir()
        if state == "s3":
            self._keep_state_in_s3(folder)
        return folder

    def _keep_state_in_s3(self, folder: Path) -> None:
        config = {
            "bucket": STATES,
            "key": f"{folder.name}.tfstate",
            "region": self.environment["AWS_DEFAULT_REGION"],
            "endpoints": {"s3": self.cloud.running.endpoint},
            "use_path_style": True,
        }
        note = folder / ".terraform" / "terraform.tfstate"
        note.parent.mkdir()
        note.write_text(json.dumps({"version": 3, "backend": {"type": "s3", "config": config}}))

    def _scale(self, desired: int) -> None:
        for service in self.services():
            self.client("ecs").update_service(
                cluster=self.contract["cluster"], service=service, desiredCount=desired, forceNewDeployment=desired > 0
            )

    def _forget_databases(self) -> None:
        with self.admin() as admin:
            for tenant in self.contract["tenants"].values():
                database, role = sql.Identifier(tenant["database"]), sql.Identifier(tenant["role"])
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
            admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(READONLY_ROLE)))

    def _forget_records(self) -> None:
        route53 = self.client("route53")
        for zone, record in self._in_route53():
            batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
        for record in self._at_porkbun():
            self._porkbun(f"dns/delete/{PORKBUN_ZONE}/{record['id']}")

    def _forget_token(self) -> None:
        group = self._redis()
        if not group.get("AuthTokenEnabled"):
            return
        redis, name = self.client("elasticache"), self.contract["redis"]["replication_group"]
        until("Redis is available", lambda: self._redis()["Status"] == "available")
        subnets = redis.describe_cache_clusters()["CacheClusters"][0]
        groups = [one["SecurityGroupId"] for one in subnets.get("SecurityGroups", ())]
        redis.delete_replication_group(ReplicationGroupId=name)
        until("Redis is gone", lambda: self._gone(name))
        redis.create_replication_group(
            ReplicationGroupId=name,
            ReplicationGroupDescription=name,
            Engine="redis",
            EngineVersion="7.1",
            CacheNodeType="cache.t4g.micro",
            NumCacheClusters=1,
            CacheSubnetGroupName=name,
            SecurityGroupIds=groups,
            TransitEncryptionEnabled=True,
            AtRestEncryptionEnabled=True,
        )

    def _gone(self, name: str) -> bool:
        groups = self.client("elasticache").describe_replication_groups()["ReplicationGroups"]
        return all(one["ReplicationGroupId"] != name for one in groups)

    def _in_route53(self) -> list[tuple[str, dict[str, Any]]]:
        route53 = self.client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [(zone, record) for record in records if record["Type"] == "CNAME"]

    def _porkbun(self, path: str) -> dict[str, Any]:
        keys = {"apikey": "PORKBUN_API_KEY", "secretapikey": "PORKBUN_SECRET_API_KEY"}
        body = json.dumps({field: self.environment[name] for field, name in keys.items()})
        url = f"{self.environment['ORCHESTRATE_PORKBUN_URL']}/{path}"
        headers = {"Content-Type": "application/json", "User-Agent": OBSERVER}
        answer = urllib3.request("POST", url, body=body, headers=headers, retries=False)
        said: dict[str, Any] = json.loads(answer.data)
        return said

    def _at_porkbun(self) -> list[dict[str, Any]]:
        records = self._porkbun(f"dns/retrieve/{PORKBUN_ZONE}").get("records") or []
        return [record for record in records if record["type"] == "CNAME"]

    # What happens.

    def run(self, folder: Path, injection: Injection = Injection(), *more: str) -> Ended:  # noqa: B008 - frozen
        """`orchestrate run`, in a process of its own."""
        given = ("--contract", str(self.folder / "contract.json"), "--json", "--poll", "0.1", "--timeout", "150")
        return self.fork_server.run(folder, self.environment, ("run", *given, *more), injection)

    # What is there.

    @cached_property
    def secrets(self) -> Needles:
        """Every secret that a run carries or could come upon."""
        manager = self.client("secretsmanager")
        kept = {
            f"{one['Name']}#{number}": value
            for one in manager.get_paginator("list_secrets").paginate().search("SecretList[]")
            for number, value in enumerate(values_in(manager.get_secret_value(SecretId=one["ARN"])["SecretString"]))
        }
        carried = ("PORKBUN_API_KEY", "PORKBUN_SECRET_API_KEY", "AWS_SECRET_ACCESS_KEY")
        return Needles(kept | {name: self.environment[name] for name in carried})

    def leaks(self, folder: Path) -> list[str]:
        """Secrets in anything that the runs of a folder wrote: output, errors, record, DNS history, lock."""
        return leaks(self.secrets, files_below(folder))

    def state(self, folder: Path) -> Mapping[str, Any]:
        """All that a run makes. Equal states: the same world, whatever the way to it."""
        return {
            "databases": self._databases(),
            "logins": [self._can_log_in(tenant) for tenant in TENANTS],
            "records": sorted((one["Name"], one["ResourceRecords"][0]["Value"]) for _, one in self._in_route53()),
            "porkbun": sorted((one["name"], one["content"]) for one in self._at_porkbun()),
            "redis": self._token_is_final(),
            "services": [(len(one["deployments"]), one["runningCount"], _states(one)) for one in self.described()],
            "lock": self._lock_holder(folder),
        }

    def _lock_holder(self, folder: Path) -> LockOwner | None:
        with ENVIRONMENT, pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return lock_places.lock_of(folder, self.environment, None).holder()

    def _databases(self) -> list[tuple[Any, ...]]:
        with self.admin() as admin:
            columns = "datname, pg_get_userbyid(datdba), datacl::text"
            text = f"SELECT {columns} FROM pg_database WHERE datname LIKE 'onyx%' ORDER BY 1"
            roles = admin.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1").fetchall()
            return [*admin.execute(text.encode()).fetchall(), *roles]

    def _can_log_in(self, name: str) -> bool:
        tenant = self.contract["tenants"][name]
        secret = self.client("secretsmanager").get_secret_value(SecretId=tenant["secret_arn"])["SecretString"]
        with suppress(psycopg.OperationalError), self._login(tenant["role"], secret, tenant["database"]):
            return True
        return False

    def _token_is_final(self) -> str:
        """Whether only the token is accepted: AWS says so only by refusing another SET."""
        name = self.contract["redis"]["replication_group"]
        if not self._redis().get("AuthTokenEnabled"):
            return "no token"
        redis, token = self.client("elasticache"), "a-token-of-the-tests-own"
        try:
            redis.modify_replication_group(
                ReplicationGroupId=name, AuthToken=token, AuthTokenUpdateStrategy="SET", ApplyImmediately=True
            )
        except redis.exceptions.InvalidParameterCombinationException:
            return "only the token"
        return "both ways"


def _states(service: Mapping[str, Any]) -> list[str]:
    return [one["rolloutState"] for one in service["deployments"]]


@contextmanager
def resettable_stack(folder: Path) -> Iterator[ResettableStack]:
    """A cloud of its own, with the stack in it."""
    folder.mkdir(parents=True, exist_ok=True)
    running = client.up("faults", folder / "cloud", speed=SPEED, rates=1)
    try:
        with ForkServer() as fork_server:
            made = ResettableStack(
                LocalCloud(folder / "cloud", running, client.ask(running, "env")), fork_server, folder
            )
            made.build()
            yield made
    finally:
        client.down(folder / "cloud")


def begun_redeploys(runs: Sequence[Ended]) -> int:
    """Redeploys that reached AWS."""
    return sum(call.what == "ecs:UpdateService" and call.ended for run in runs for call in run.calls)
