"""Faults that somebody with the console could bring about: through the cloud's own API, and undone the same way.

A fault of this kind changes the world when it is injected and remembers how to change it back. What fails then, fails
by itself. The tenant's stack is found by its service; without a tenant, every service is meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from botocore.exceptions import ClientError

from orchestrator.errors import Problem, Refused
from orchestrator.local.core import api
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.environment import environment
from orchestrator.local.core.waiting import eventually
from orchestrator.local.ecs.tasks import STOPPED_FOR_A_FAULT, is_tenants
from orchestrator.local.faults import Fault
from orchestrator.local.ssm import instance
from orchestrator.local.ssm.tools import containers

_DONE_ALREADY = frozenset(
    {
        "InvalidPermission.Duplicate",
        "InvalidPermission.NotFound",
        "ResourceAlreadyExistsException",
        "InvalidChangeBatch",
    }
)
_UNDER_WAY = frozenset({"modifying", "rebooting", "starting", "stopping"})
SETTLE_SECONDS = 60.0
"""Real seconds; who asks for a fault waits for two minutes (`client.ANSWER_SECONDS`)."""
Undo = Callable[[], object]
ManualChange = Callable[["Console"], Iterator[Undo]]
"""Makes the changes, yielding after each how to undo it."""


@dataclass
class Console:
    """A person's hands on one cloud. `tenant` empty: everybody's."""

    cloud: Cloud
    tenant: str

    def client(self, service: Any) -> Any:
        """A boto3 client for this cloud's endpoint."""
        return api.client(environment(self.cloud), service)

    def services(self) -> list[dict[str, Any]]:
        """The tenant's services as DescribeServices shows them."""
        ecs, found = self.client("ecs"), []
        for cluster in ecs.list_clusters()["clusterArns"]:
            arns = ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
            for start in range(0, len(arns), 10):
                found += ecs.describe_services(cluster=cluster, services=arns[start : start + 10])["services"]
        mine = [one for one in found if one["status"] == "ACTIVE" and is_tenants(self.tenant, one["serviceName"])]
        if not mine:
            raise Refused(Problem("fault-failed", f"there is no service of {self.tenant or 'anybody'}", "fault"))
        return mine

    def definitions(self) -> list[dict[str, Any]]:
        """Their task definitions."""
        ecs = self.client("ecs")
        arns = dict.fromkeys(one["taskDefinition"] for one in self.services())
        return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]

    def variables(self) -> list[dict[str, str]]:
        """Of each task definition the plain variables of all containers."""
        return [
            {pair["name"]: pair["value"] for one in made["containerDefinitions"] for pair in one.get("environment", ())}
            for made in self.definitions()
        ]

    def restart(self) -> None:
        """The tenant's tasks are stopped, so that new ones must start in the changed world."""
        ecs = self.client("ecs")
        for service in self.services():
            tasks = ecs.list_tasks(cluster=service["clusterArn"], serviceName=service["serviceName"])["taskArns"]
            for task in tasks:
                ecs.stop_task(cluster=service["clusterArn"], task=task, reason=STOPPED_FOR_A_FAULT)


_UNDO: dict[tuple[str, str], list[Undo]] = {}
"""By fault and tenant; there is one cloud a process."""


def meddled(
    name: str, title: str, guide: str, meddle: ManualChange, *, per_tenant: bool = True, restarts: bool = True
) -> Fault:
    """A fault that `meddle` brings about; `restarts`: the tasks are then started anew."""

    def inject(cloud: Cloud, tenant: str) -> None:
        console = Console(cloud, tenant)
        undo = _UNDO.setdefault((name, tenant), [])
        try:
            for one in meddle(console):
                undo.append(one)
        except (ClientError, psycopg.Error) as error:
            clear(cloud, tenant)
            said = f"{name} can't be injected now: {' '.join(str(error).split())}"
            raise Refused(Problem("fault-failed", said, "fault")) from None
        if restarts:
            console.restart()

    def clear(_cloud: Cloud, tenant: str) -> None:
        left = []
        for undo in reversed(_UNDO.pop((name, tenant), [])):
            try:
                undo()
            except (ClientError, psycopg.Error) as error:
                code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
                if code not in _DONE_ALREADY:  # else somebody has undone it meanwhile, by what a doctor advised
                    left.append(" ".join(str(error).split()))
        if left:
            raise Refused(Problem("fault-failed", f"{name} can't be undone: {'; '.join(left)}", "fault"))

    return Fault(name, title, guide, per_tenant=per_tenant, inject=inject, clear=clear)


def settled(rds: Any, name: str) -> str:
    """A database server's state once nothing is under way: until then RDS refuses every change of it."""

    def look() -> str:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return "" if found[0]["DBInstanceStatus"] in _UNDER_WAY else str(found[0]["DBInstanceStatus"])

    return eventually(look, SETTLE_SECONDS)


def change_server(rds: Any, server: dict[str, Any], **change: Any) -> Undo:
    """Change a database server; what changes it back."""
    name = server["DBInstanceIdentifier"]

    def modify(**how: Any) -> None:
        settled(rds, name)
        rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **how)

    modify(**change)
    return partial(modify, **{key: server[key] for key in change})


def start_server(rds: Any, name: str) -> None:
    """Start a database server, unless somebody has."""
    if settled(rds, name) == "stopped":
        rds.start_db_instance(DBInstanceIdentifier=name)


def stop_instances(console: Console, ids: list[str]) -> Undo:
    """Stop those of the instances that run; what starts them again."""
    ec2 = console.client("ec2")

    def of(*states: str) -> list[str]:
        answer = ec2.describe_instances(InstanceIds=ids)
        found = (one for reservation in answer["Reservations"] for one in reservation["Instances"])
        return [one["InstanceId"] for one in found if one["State"]["Name"] in states]

    def start(stopped: list[str]) -> None:
        eventually(lambda: not of("stopping"), SETTLE_SECONDS)  # a stop that is under way has to end first
        ec2.start_instances(InstanceIds=stopped)

    if not (ids and (running := of("pending", "running"))):
        return lambda: None
    ec2.stop_instances(InstanceIds=running)
    return partial(start, running)


def change_container(console: Console, state: str, name: str = containers.VESPA) -> Iterator[Undo]:
    """The container of an index on the tenant's instances gets into a state of `tools.containers`; undone, it runs."""
    for one in instances(console, f"{name.upper()}_HOST"):
        file = containers.beside(instance.state_file(console.cloud, one), name)
        file.parent.mkdir(parents=True, exist_ok=True)
        containers.change(file, state)
        yield partial(containers.change, file, containers.RUNNING)


def cnames(console: Console) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every CNAME in Route 53, with the id of its zone."""
    route53 = console.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] == "CNAME":
                yield zone["Id"], record


def own_cnames(console: Console) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of the tenant's hostnames."""
    wanted = {f"{said['WEB_DOMAIN'].removeprefix('https://')}." for said in console.variables()}
    return ((zone, record) for zone, record in cnames(console) if record["Name"] in wanted)


def withdraw_validations(console: Console) -> Iterator[Undo]:
    """ACM's validation records are in no zone any more."""
    for zone, record in list(cnames(console)):
        if "acm-validations" in record["ResourceRecords"][0]["Value"]:
            change_record(console, "DELETE", zone, record)
            yield partial(change_record, console, "UPSERT", zone, record)


def change_record(console: Console, action: str, zone: str, record: dict[str, Any]) -> None:
    """One change: UPSERT or DELETE."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    console.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def felt_by_tasks(name: str, title: str, guide: str) -> Fault:
    """A fault that tasks feel when they start: those that run are stopped."""
    return meddled(name, title, guide, lambda _console: iter(()))


def close_out(console: Console, groups: list[str]) -> Iterator[Undo]:
    """Take away every rule that lets the groups out."""
    ec2 = console.client("ec2")
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        rules = group["IpPermissionsEgress"]
        if rules:
            given = {"GroupId": group["GroupId"], "IpPermissions": [_plain(rule) for rule in rules]}
            ec2.revoke_security_group_egress(**given)
            yield partial(ec2.authorize_security_group_egress, **given)


def close_port(console: Console, groups: list[str], port: int) -> Iterator[Undo]:
    """Take away every rule of the groups that opens the port."""
    ec2 = console.client("ec2")
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        rules = [one for one in group["IpPermissions"] if one.get("FromPort", 0) <= port <= one.get("ToPort", 65535)]
        if rules:
            given = {"GroupId": group["GroupId"], "IpPermissions": [_plain(rule) for rule in rules]}
            ec2.revoke_security_group_ingress(**given)
            yield lambda given=given: ec2.authorize_security_group_ingress(**given)  # type: ignore[misc]


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    pairs = [{"GroupId": one["GroupId"]} for one in rule.get("UserIdGroupPairs", ())]
    ranges = [{"CidrIp": one["CidrIp"]} for one in rule.get("IpRanges", ())]
    return {**kept, **({"UserIdGroupPairs": pairs} if pairs else {}), **({"IpRanges": ranges} if ranges else {})}


def change_service(console: Console, **changes: Any) -> Iterator[Undo]:
    """UpdateService, and back to what was said of the same settings before."""
    ecs = console.client("ecs")
    for one in console.services():
        target = {"cluster": one["clusterArn"], "service": one["serviceName"]}
        before = {name: one[name] for name in changes if name in one}
        ecs.update_service(**target, **changes)
        yield partial(ecs.update_service, **target, **before)


def change_target_group(console: Console, **changes: Any) -> Iterator[Undo]:
    """ModifyTargetGroup of the services' groups, and back."""
    elb = console.client("elbv2")
    arns = [way["targetGroupArn"] for one in console.services() for way in one["loadBalancers"]]
    for group in elb.describe_target_groups(TargetGroupArns=arns)["TargetGroups"]:
        arn, before = group["TargetGroupArn"], {name: group[name] for name in changes}
        elb.modify_target_group(TargetGroupArn=arn, **changes)
        yield partial(elb.modify_target_group, TargetGroupArn=arn, **before)


def instances(console: Console, variable: str = "VESPA_HOST") -> list[str]:
    """Ids of the EC2 instances behind the tenant's VESPA_HOST, or another variable."""
    hosts = sorted({said[variable] for said in console.variables() if said.get(variable)})
    if not hosts:
        return []
    where = [{"Name": "private-ip-address", "Values": hosts}]
    answer = console.client("ec2").describe_instances(Filters=where)
    return [one["InstanceId"] for reservation in answer["Reservations"] for one in reservation["Instances"]]


def take_policies(console: Console, role_arn: str) -> Iterator[Undo]:
    """The role loses its inline policies."""
    iam, role = console.client("iam"), role_arn.rsplit("/", 1)[-1]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        yield lambda name=name, document=document: iam.put_role_policy(  # type: ignore[misc]
            RoleName=role, PolicyName=name, PolicyDocument=_text(document)
        )


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
