"""Faults that somebody with the console could bring about: through the cloud's own API, and undone the same way.

A fault of this kind changes the world when it is injected and remembers how to change it back. What fails then, fails
by itself. The tenant's stack is found by its service; without a tenant, every service is meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

from orchestrator.errors import Problem, Refused
from orchestrator.local.cloud import ACCESS_KEY, REGION, SECRET_KEY, Cloud
from orchestrator.local.faults import Fault
from orchestrator.local.tasks import is_tenants

Undo = Callable[[], object]
Meddle = Callable[["Console"], Iterator[Undo]]
"""Makes the changes, yielding after each how to undo it."""


@dataclass
class Console:
    """A person's hands on one cloud. `tenant` empty: everybody's."""

    cloud: Cloud
    tenant: str
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: Any) -> Any:
        """A boto3 client for this cloud's endpoint."""
        if service not in self._clients:
            session: Any = boto3.Session(
                aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
            )
            self._clients[service] = session.client(service, endpoint_url=self.cloud.endpoint)
        return self._clients[service]

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
                ecs.stop_task(cluster=service["clusterArn"], task=task, reason="Stopped by hand")


_UNDO: dict[tuple[str, str], list[Undo]] = {}
"""By fault and tenant; there is one cloud a process."""


def meddled(
    name: str, title: str, guide: str, meddle: Meddle, *, per_tenant: bool = True, restarts: bool = True
) -> Fault:
    """A fault that `meddle` brings about; `restarts`: the tasks are then started anew."""

    def inject(cloud: Cloud, tenant: str) -> None:
        console = Console(cloud, tenant)
        undo = _UNDO.setdefault((name, tenant), [])
        undo += meddle(console)
        if restarts:
            console.restart()

    def clear(_cloud: Cloud, tenant: str) -> None:
        for undo in reversed(_UNDO.pop((name, tenant), [])):
            undo()

    return Fault(name, title, guide, per_tenant=per_tenant, inject=inject, clear=clear)


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


def change_variables(console: Console, changes: dict[str, Callable[[str], str]]) -> Iterator[Undo]:
    """A new revision of the task definition with other values; the services use it."""
    ecs = console.client("ecs")
    for service in console.services():
        old = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        containers = [_changed(one, changes) for one in old["containerDefinitions"]]
        kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn")
        made = ecs.register_task_definition(
            **{key: old[key] for key in kept if key in old}, containerDefinitions=containers
        )
        target = {"cluster": service["clusterArn"], "service": service["serviceName"]}
        ecs.update_service(**target, taskDefinition=made["taskDefinition"]["taskDefinitionArn"])
        yield lambda target=target, old=old: ecs.update_service(  # type: ignore[misc]
            **target, taskDefinition=old["taskDefinitionArn"]
        )


def _changed(container: dict[str, Any], changes: dict[str, Callable[[str], str]]) -> dict[str, Any]:
    environment = [
        {**pair, "value": changes[pair["name"]](pair["value"])} if pair["name"] in changes else pair
        for pair in container.get("environment", ())
    ]
    return {**container, "environment": environment}


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
