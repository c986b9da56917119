"""What shows the world before a change for a while: a row for each kind of thing, with what changes and what reads it.

Ids are brought to one form, whether a call gives a name or an ARN. What is read by a filter is found by the truth: only
what is shown of it is old.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.utilities.utils import get_partition

from orchestrator.local.core.cloud import ACCOUNT

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One operation that shows a thing.

    `items` is where the answer has its list (`a[].b`: in each of a list), `key` an item's id (JMESPath); without
    `items` the whole answer is about the one thing. `names` (JMESPath) are the things that a call asks for by name;
    `missing` is AWS's code for one that it doesn't see, or `lacks` says so in a good answer. `ask` gives the parameters
    of a look at one (its id, the region); None: it shows ids alone, and nothing of an old form. `narrow` leaves of an
    old answer what the call's parameters ask for.
    """

    operation: str
    ask: Callable[[str, str], Mapping[str, Any]] | None = None
    items: str = ""
    key: str = ""
    names: str = ""
    missing: str = ""
    lacks: Callable[[Document, str], None] | None = None
    service: str = ""
    """Another one than the kind's."""
    narrow: Callable[[Document, Mapping[str, Any]], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LateKind:
    """`changes`: operation → the ids in its parameters; `makes`: operation → the ids in its answer (JMESPath)."""

    service: str
    name: str
    readings: Sequence[Reading]
    source: str
    changes: Mapping[str, str] = field(default_factory=dict)
    makes: Mapping[str, str] = field(default_factory=dict)
    identify: Callable[[str, Mapping[str, Any]], str] = lambda said, _parameters: said


def _of_cluster(said: str, parameters: Mapping[str, Any]) -> str:
    """`cluster/name`, whether a name or an ARN is said; empty for an ARN of something else (a task definition)."""
    if said.startswith("arn:"):
        kind, _, rest = said.split(":", 5)[-1].partition("/")
        return rest if kind in {"service", "task"} else ""
    return f"{str(parameters.get('cluster') or 'default').rsplit('/', 1)[-1]}/{said}"


def _rds(kind: str) -> Callable[[str, Mapping[str, Any]], str]:
    def identify(said: str, _parameters: Mapping[str, Any]) -> str:
        if not said.startswith("arn:"):
            return said.lower()
        _, _, _, _, _, type_, name = said.split(":", 6)
        return name.lower() if type_ == kind else ""

    return identify


def _prefixed(prefix: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda said, _parameters: said if said.startswith(prefix) else ""


def _secret(said: str, _parameters: Mapping[str, Any]) -> str:
    """A secret's name: an ARN has six random characters behind it."""
    return re.sub(r"-[A-Za-z0-9]{6}$", "", said.split(":")[6]) if said.startswith("arn:") else said


def _parameter(said: str, _parameters: Mapping[str, Any]) -> str:
    return said.partition(":parameter")[2] if said.startswith("arn:") else said


def _ecs_failure(answer: Document, name: str) -> None:
    answer.setdefault("failures", []).append({"arn": name, "reason": "MISSING"})


def _no_secret(answer: Document, name: str) -> None:
    words = "Secrets Manager can't find the specified secret."
    lacking = {"SecretId": name, "ErrorCode": "ResourceNotFoundException", "Message": words}
    answer.setdefault("Errors", []).append(lacking)


def _no_parameter(answer: Document, name: str) -> None:
    answer.setdefault("InvalidParameters", []).append(name)


def _cluster_and(name: str) -> Callable[[str], Mapping[str, Any]]:
    def ask(identity: str) -> Mapping[str, Any]:
        cluster, _, one = identity.partition("/")
        return {"cluster": cluster, name: [one]}

    return ask


def _of_service(arn: str) -> Mapping[str, Any]:
    """The parameters that name the service of a service deployment."""
    _, cluster, service, _ = arn.split(":", 5)[-1].split("/")
    return {"cluster": cluster, "service": service}


def _in_status(answer: Document, parameters: Mapping[str, Any]) -> None:
    if wanted := parameters.get("status"):
        answer["serviceDeployments"] = [one for one in answer["serviceDeployments"] if one["status"] in wanted]


def _by_name(operation: str, parameter: str, missing: str = "") -> Reading:
    """A reading whose whole answer is about the one thing that a parameter names."""
    return Reading(operation, lambda one, _: {parameter: one}, names=parameter, missing=missing)


def _by_names(operation: str, parameter: str, items: str, key: str, missing: str = "") -> Reading:
    """A reading that gives a list, of those whom a list parameter names."""
    return Reading(operation, lambda one, _: {parameter: [one]}, items=items, key=key, names=parameter, missing=missing)


def _in_rds(operation: str, parameter: str, items: str, missing: str) -> Reading:
    """A reading of RDS: one name, and a list of one."""
    return Reading(
        operation, lambda one, _: {parameter: one}, items=items, key=parameter, names=parameter, missing=missing
    )


def _tags_in_rds(kind: str, missing: str) -> Reading:
    def ask(one: str, region: str) -> Mapping[str, Any]:
        return {"ResourceName": f"arn:{get_partition(region)}:rds:{region}:{ACCOUNT}:{kind}:{one}"}

    return Reading("ListTagsForResource", ask, names="ResourceName", missing=missing)


ASSUMED = "assumed: AWS promises nothing else, and clients such as Terraform's provider look again"


def _snapshots_in_rds(of: str, what: str, arn: str, missing: str) -> LateKind:
    """Of instances (`DB`) or clusters (`DBCluster`): RDS's calls for both are alike."""
    name = f"{of}SnapshotIdentifier"
    made = {f"Create{of}Snapshot": name, f"Delete{of}Snapshot": name, "AddTagsToResource": "ResourceName"}
    reading = _in_rds(f"Describe{of}Snapshots", name, f"{of}Snapshots", missing)
    return LateKind("rds", what, changes=made, readings=(reading,), identify=_rds(arn), source=ASSUMED)


ROWS: tuple[LateKind, ...] = (
    LateKind(
        "ecs",
        "service, with its deployments",
        changes={
            "CreateService": "serviceName",
            "UpdateService": "service",
            "DeleteService": "service",
            "TagResource": "resourceArn",
            "UntagResource": "resourceArn",
        },
        readings=(
            Reading(
                "DescribeServices",
                lambda one, _: {**_cluster_and("services")(one), "include": ["TAGS"]},
                items="services",
                key="serviceArn",
                names="services",
                lacks=_ecs_failure,
            ),
            Reading("ListServices", items="serviceArns", key="@"),
            Reading(
                "ListServiceDeployments",
                lambda one, _: dict(zip(("cluster", "service"), one.split("/", 1), strict=True)),
                names="service",
                missing="ServiceNotFoundException",
                narrow=_in_status,
            ),
            Reading(
                "ListTagsForResource",
                lambda one, region: {
                    "resourceArn": f"arn:{get_partition(region)}:ecs:{region}:{ACCOUNT}:service/{one}"
                },
                names="resourceArn",
            ),
        ),
        identify=_of_cluster,
        source="ECS API Reference, RunTask: “The Amazon ECS API follows an eventual consistency model”",
    ),
    LateKind(
        "ecs",
        "service deployment",
        changes={
            "ContinueServiceDeployment": "serviceDeploymentArn",
            "StopServiceDeployment": "serviceDeploymentArn",
        },
        readings=(
            Reading(
                "DescribeServiceDeployments",
                lambda one, _: {"serviceDeploymentArns": [one]},
                items="serviceDeployments",
                key="serviceDeploymentArn",
                names="serviceDeploymentArns",
                lacks=_ecs_failure,
            ),
            Reading(
                "ListServiceDeployments",
                lambda one, _: _of_service(one),
                items="serviceDeployments",
                key="serviceDeploymentArn",
            ),
        ),
        source="ECS API Reference, RunTask: eventual consistency",
    ),
    LateKind(
        "ecs",
        "task",
        changes={"StopTask": "task"},
        makes={"RunTask": "tasks[].taskArn"},
        readings=(
            Reading(
                "DescribeTasks",
                lambda one, _: _cluster_and("tasks")(one),
                items="tasks",
                key="taskArn",
                names="tasks",
                lacks=_ecs_failure,
            ),
            Reading("ListTasks", items="taskArns", key="@"),
        ),
        identify=_of_cluster,
        source="ECS API Reference, RunTask: eventual consistency",
    ),
    LateKind(
        "rds",
        "DB instance",
        changes={
            "CreateDBInstance": "DBInstanceIdentifier",
            "RestoreDBInstanceFromDBSnapshot": "DBInstanceIdentifier",
            "ModifyDBInstance": "DBInstanceIdentifier",
            "StartDBInstance": "DBInstanceIdentifier",
            "StopDBInstance": "DBInstanceIdentifier",
            "RebootDBInstance": "DBInstanceIdentifier",
            "DeleteDBInstance": "DBInstanceIdentifier",
            "AddTagsToResource": "ResourceName",
            "RemoveTagsFromResource": "ResourceName",
        },
        readings=(
            _in_rds("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances", "DBInstanceNotFound"),
            _tags_in_rds("db", "DBInstanceNotFound"),
        ),
        identify=_rds("db"),
        source=ASSUMED,
    ),
    _snapshots_in_rds("DB", "DB snapshot", "snapshot", "DBSnapshotNotFound"),
    LateKind(
        "rds",
        "DB cluster",
        changes={
            "CreateDBCluster": "DBClusterIdentifier",
            "RestoreDBClusterFromSnapshot": "DBClusterIdentifier",
            "ModifyDBCluster": "DBClusterIdentifier",
            "StartDBCluster": "DBClusterIdentifier",
            "StopDBCluster": "DBClusterIdentifier",
            "DeleteDBCluster": "DBClusterIdentifier",
            "AddTagsToResource": "ResourceName",
            "RemoveTagsFromResource": "ResourceName",
        },
        readings=(
            _in_rds("DescribeDBClusters", "DBClusterIdentifier", "DBClusters", "DBClusterNotFoundFault"),
            _tags_in_rds("cluster", "DBClusterNotFoundFault"),
        ),
        identify=_rds("cluster"),
        source=ASSUMED,
    ),
    _snapshots_in_rds("DBCluster", "DB cluster snapshot", "cluster-snapshot", "DBClusterSnapshotNotFoundFault"),
    LateKind(
        "ec2",
        "instance, with its tags",
        changes={
            "StartInstances": "InstanceIds",
            "StopInstances": "InstanceIds",
            "RebootInstances": "InstanceIds",
            "TerminateInstances": "InstanceIds",
            "CreateTags": "Resources",
            "DeleteTags": "Resources",
        },
        makes={"RunInstances": "Instances[].InstanceId"},
        readings=(
            _by_names(
                "DescribeInstances",
                "InstanceIds",
                "Reservations[].Instances",
                "InstanceId",
                "InvalidInstanceID.NotFound",
            ),
            Reading(
                "DescribeInstanceInformation",
                lambda one, _: {"Filters": [{"Key": "InstanceIds", "Values": [one]}]},
                items="InstanceInformationList",
                key="InstanceId",
                service="ssm",
            ),
        ),
        identify=_prefixed("i-"),
        source="EC2 Developer Guide, “Eventual consistency in the Amazon EC2 API”",
    ),
    LateKind(
        "ec2",
        "EBS snapshot, with its tags",
        changes={"DeleteSnapshot": "SnapshotId", "CreateTags": "Resources", "DeleteTags": "Resources"},
        makes={"CreateSnapshot": "SnapshotId"},
        readings=(
            _by_names("DescribeSnapshots", "SnapshotIds", "Snapshots", "SnapshotId", "InvalidSnapshot.NotFound"),
        ),
        identify=_prefixed("snap-"),
        source="EC2 Developer Guide, “Eventual consistency in the Amazon EC2 API”",
    ),
    LateKind(
        "iam",
        "role",
        changes={
            "CreateRole": "RoleName",
            "DeleteRole": "RoleName",
            "UpdateAssumeRolePolicy": "RoleName",
            "TagRole": "RoleName",
            "PutRolePolicy": "RoleName",
            "DeleteRolePolicy": "RoleName",
            "AttachRolePolicy": "RoleName",
            "DetachRolePolicy": "RoleName",
        },
        readings=(
            _by_name("GetRole", "RoleName", "NoSuchEntity"),
            Reading("ListRoles", items="Roles", key="RoleName"),
            _by_name("ListRolePolicies", "RoleName", "NoSuchEntity"),
            _by_name("ListAttachedRolePolicies", "RoleName", "NoSuchEntity"),
        ),
        source="IAM User Guide, “Changes that I make are not always immediately visible”",
    ),
    LateKind(
        "ssm",
        "command",
        makes={"SendCommand": "Command.CommandId"},
        readings=(
            Reading("GetCommandInvocation", names="CommandId", missing="InvocationDoesNotExist"),
            Reading("ListCommandInvocations", items="CommandInvocations", key="CommandId"),
            Reading("ListCommands", items="Commands", key="CommandId"),
        ),
        source="Threads of people who met InvocationDoesNotExist right after SendCommand",
    ),
    LateKind(
        "ssm",
        "parameter",
        changes={"PutParameter": "Name", "DeleteParameter": "Name", "DeleteParameters": "Names"},
        readings=(
            Reading(
                "GetParameter",
                lambda one, _: {"Name": one, "WithDecryption": True},
                names="Name",
                missing="ParameterNotFound",
            ),
            Reading(
                "GetParameters",
                lambda one, _: {"Names": [one], "WithDecryption": True},
                items="Parameters",
                key="Name",
                names="Names",
                lacks=_no_parameter,
            ),
            Reading("GetParametersByPath", items="Parameters", key="Name"),
        ),
        identify=_parameter,
        source=ASSUMED,
    ),
    LateKind(
        "elbv2",
        "load balancer's attributes",
        changes={"ModifyLoadBalancerAttributes": "LoadBalancerArn"},
        readings=(_by_name("DescribeLoadBalancerAttributes", "LoadBalancerArn"),),
        source=ASSUMED,
    ),
    LateKind(
        "elbv2",
        "tags",
        changes={"AddTags": "ResourceArns", "RemoveTags": "ResourceArns"},
        readings=(_by_names("DescribeTags", "ResourceArns", "TagDescriptions", "ResourceArn"),),
        source=ASSUMED,
    ),
    LateKind(
        "elbv2",
        "rule",
        changes={"ModifyRule": "RuleArn", "DeleteRule": "RuleArn", "SetRulePriorities": "RulePriorities[].RuleArn"},
        makes={"CreateRule": "Rules[].RuleArn"},
        readings=(_by_names("DescribeRules", "RuleArns", "Rules", "RuleArn", "RuleNotFound"),),
        source=ASSUMED,
    ),
    LateKind(
        "secretsmanager",
        "secret, with its value",
        changes={
            "CreateSecret": "Name",
            "PutSecretValue": "SecretId",
            "UpdateSecret": "SecretId",
            "TagResource": "SecretId",
            "DeleteSecret": "SecretId",
        },
        readings=(
            _by_name("GetSecretValue", "SecretId", "ResourceNotFoundException"),
            Reading(
                "BatchGetSecretValue",
                lambda one, _: {"SecretIdList": [one]},
                items="SecretValues",
                key="Name",
                names="SecretIdList",
                lacks=_no_secret,
            ),
            _by_name("DescribeSecret", "SecretId", "ResourceNotFoundException"),
            Reading("ListSecrets", items="SecretList", key="Name"),
        ),
        identify=_secret,
        source=ASSUMED,
    ),
)
