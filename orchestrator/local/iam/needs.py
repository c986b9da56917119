"""What a call must be allowed: the action and the ARN that IAM asks for, for the services a stack is made of. Pure.

Source: AWS's Service Authorization Reference.

S3's are in `s3_needs`. Left out: the other services and actions, which are asked for on `*`, so that only a policy for
every resource allows them; resource tags (but for instances, volumes' snapshots, secrets and
certificates, which `enforcement` adds); what a service does
in the caller's name (`iam:PassRole`; of KMS, what `sealed` leaves out).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.local.core.cloud import ACCOUNT, PARTITION

ANY = "*"
Ask = Callable[[str], Any]
"""A parameter's value, as the API names it; None: it was not given."""


@dataclass(frozen=True, slots=True)
class RequiredPermission:
    """One thing to be allowed. `context` are IAM's condition keys, in lower case, each with its values."""

    action: str
    resource: str = ANY
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CalledOperation:
    """What was called: IAM's name of the service, the operation, its region, its parameters."""

    service: str
    operation: str
    region: str
    ask: Ask

    @property
    def action(self) -> str:
        """As policies write it."""
        return f"{self.service}:{self.operation}"

    def arn(self, resource: str, service: str = "", account: str = ACCOUNT) -> str:
        """An ARN of this region."""
        return f"arn:{PARTITION}:{service or self.service}:{self.region}:{account}:{resource}"


SIGNED_AS = {"monitoring": "cloudwatch"}
"""Signing name → IAM's name of the service, where they differ."""


def needs(call: CalledOperation) -> Sequence[RequiredPermission]:
    """All of it must be allowed."""
    special = _SPECIAL.get(call.action)
    if special:
        return list(special(call))
    named = _NAMED.get(call.service, ())
    found = [call.arn(pattern.format(value)) for key, pattern in named if (value := call.ask(key)) is not None]
    if not found and call.operation in _OF_A_KIND:
        found = [call.arn(named[0][1].format(ANY))]
    return [RequiredPermission(call.action, one) for one in found] or [RequiredPermission(call.action)]


def _given(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)] if value else []


def _last(name_or_arn: str) -> str:
    return name_or_arn.rsplit("/", 1)[-1]


def _cluster(call: CalledOperation) -> str:
    return _last(call.ask("cluster") or "default")


def _services(call: CalledOperation) -> Iterator[RequiredPermission]:
    for one in [*_given(call.ask("services")), *_given(call.ask("service"))]:
        yield RequiredPermission(call.action, call.arn(f"service/{_cluster(call)}/{_last(one)}"))


def _tasks(call: CalledOperation) -> Iterator[RequiredPermission]:
    for one in [*_given(call.ask("tasks")), *_given(call.ask("task"))]:
        yield RequiredPermission(call.action, call.arn(f"task/{_cluster(call)}/{_last(one)}"))


def _run_task(call: CalledOperation) -> Iterator[RequiredPermission]:
    """The definition's ARN; without a revision ECS takes the newest."""
    named, cluster = str(call.ask("taskDefinition")), call.arn(f"cluster/{_cluster(call)}")
    arn = named if named.startswith("arn:") else call.arn(f"task-definition/{named}")
    yield RequiredPermission(call.action, arn, {"ecs:cluster": (cluster,)})


def _listed_tasks(call: CalledOperation) -> Iterator[RequiredPermission]:
    cluster = call.arn(f"cluster/{_cluster(call)}")
    yield RequiredPermission(
        call.action, call.arn(f"container-instance/{_cluster(call)}/*"), {"ecs:cluster": (cluster,)}
    )


def _sent_command(call: CalledOperation) -> Iterator[RequiredPermission]:
    document = str(call.ask("DocumentName"))
    owner = "" if document.startswith("AWS-") else ACCOUNT
    yield RequiredPermission(call.action, call.arn(f"document/{document}", account=owner))
    for instance in _given(call.ask("InstanceIds")):
        yield RequiredPermission(call.action, call.arn(f"instance/{instance}", service="ec2"))


def _secrets(call: CalledOperation) -> Iterator[RequiredPermission]:
    """The batch itself; which of its secrets may be read is answered secret by secret."""
    yield RequiredPermission(call.action)


def _secret(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, secret_arn(call, str(call.ask("SecretId"))))


def secret_arn(call: CalledOperation, named: str) -> str:
    """A secret's ARN; of one that is given by name, the six characters at its end are not known."""
    return named if named.startswith("arn:") else call.arn(f"secret:{named}-??????")


def _log_groups(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, call.arn("log-group::log-stream:"))


def _log_stream(call: CalledOperation) -> Iterator[RequiredPermission]:
    group, stream = call.ask("logGroupName"), call.ask("logStreamName") or ""
    yield RequiredPermission(call.action, call.arn(f"log-group:{group}:log-stream:{stream}"))


def _certificate(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, str(call.ask("CertificateArn")))


def _role(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, str(call.ask("PolicySourceArn")))


def _instance_profile(call: CalledOperation) -> Iterator[RequiredPermission]:
    name = call.ask("InstanceProfileName")
    yield RequiredPermission(call.action, f"arn:{PARTITION}:iam::{ACCOUNT}:instance-profile/{name}")


def _assumed(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, str(call.ask("RoleArn")))


def _zone(call: CalledOperation) -> Iterator[RequiredPermission]:
    identifier = _last(str(call.ask("HostedZoneId") or call.ask("Id")))
    sets = [change["ResourceRecordSet"] for change in call.ask("ChangeBatch.Changes") or ()]
    context = {
        "route53:changeresourcerecordsetsnormalizedrecordnames": tuple(one["Name"].lower().rstrip(".") for one in sets),
        "route53:changeresourcerecordsetsrecordtypes": tuple(one["Type"] for one in sets),
    }
    yield RequiredPermission(call.action, f"arn:{PARTITION}:route53:::hostedzone/{identifier}", context if sets else {})


def _spreading(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, f"arn:{PARTITION}:route53:::change/{_last(str(call.ask('Id')))}")


def _tagged(parameter: str) -> Callable[[CalledOperation], Iterator[RequiredPermission]]:
    """The resource is given by its ARN, or several are by theirs."""

    def need(call: CalledOperation) -> Iterator[RequiredPermission]:
        for arn in _given(call.ask(parameter)):
            yield RequiredPermission(call.action, str(arn))

    return need


def _instances(call: CalledOperation) -> Iterator[RequiredPermission]:
    for one in [*_given(call.ask("InstanceIds")), *_given(call.ask("InstanceId"))]:
        yield RequiredPermission(call.action, call.arn(f"instance/{one}"))


def _new_volume_snapshot(call: CalledOperation) -> Iterator[RequiredPermission]:
    """The volume, the snapshot, whose id nobody knows yet, and its tags."""
    made = call.arn("snapshot/*", account="")
    yield RequiredPermission(call.action, call.arn(f"volume/{call.ask('VolumeId')}"))
    yield RequiredPermission(call.action, made)
    if call.ask("TagSpecifications"):
        yield RequiredPermission("ec2:CreateTags", made, {"ec2:createaction": (call.operation,)})


def _volume_snapshot(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, call.arn(f"snapshot/{call.ask('SnapshotId')}", account=""))


def _new_database_snapshot(call: CalledOperation) -> Iterator[RequiredPermission]:
    made = call.arn(f"snapshot:{call.ask('DBSnapshotIdentifier')}")
    yield RequiredPermission(call.action, call.arn(f"db:{call.ask('DBInstanceIdentifier')}"))
    yield RequiredPermission(call.action, made)
    if call.ask("Tags"):
        yield RequiredPermission("rds:AddTagsToResource", made)


def _new_cluster_snapshot(call: CalledOperation) -> Iterator[RequiredPermission]:
    made = call.arn(f"cluster-snapshot:{call.ask('DBClusterSnapshotIdentifier')}")
    yield RequiredPermission(call.action, call.arn(f"cluster:{call.ask('DBClusterIdentifier')}"))
    yield RequiredPermission(call.action, made)
    if call.ask("Tags"):
        yield RequiredPermission("rds:AddTagsToResource", made)


def _scalable_target(call: CalledOperation) -> Iterator[RequiredPermission]:
    """Its id is Application Auto Scaling's own."""
    context = {"application-autoscaling:service-namespace": (str(call.ask("ServiceNamespace")),)}
    yield RequiredPermission(call.action, call.arn("scalable-target/0"), context)


def _new_secret(call: CalledOperation) -> Iterator[RequiredPermission]:
    made = secret_arn(call, str(call.ask("Name")))
    yield RequiredPermission(call.action, made)
    if call.ask("Tags"):
        yield RequiredPermission("secretsmanager:TagResource", made)


def _new_session(call: CalledOperation) -> Iterator[RequiredPermission]:
    yield RequiredPermission(call.action, call.arn(f"instance/{call.ask('Target')}", service="ec2"))
    yield RequiredPermission(
        call.action, call.arn(f"document/{call.ask('DocumentName') or 'SSM-SessionManagerRunShell'}")
    )


def _parameters(call: CalledOperation) -> Iterator[RequiredPermission]:
    for one in [*_given(call.ask("Names")), *_given(call.ask("Name")), *_given(call.ask("Path"))]:
        yield RequiredPermission(
            call.action, one if one.startswith("arn:") else call.arn(f"parameter/{one.lstrip('/')}")
        )


_SPECIAL: Mapping[str, Callable[[CalledOperation], Iterator[RequiredPermission]]] = {
    "ecs:DescribeServices": _services,
    "ecs:UpdateService": _services,
    "ecs:ListServiceDeployments": _services,
    "ecs:DescribeServiceDeployments": _tagged("serviceDeploymentArns"),
    "ecs:StopServiceDeployment": _tagged("serviceDeploymentArn"),
    "ecs:ContinueServiceDeployment": _tagged("serviceDeploymentArn"),
    "ecs:DescribeTasks": _tasks,
    "ecs:RunTask": _run_task,
    "ecs:StopTask": _tasks,
    "ecs:ExecuteCommand": _tasks,
    "ecs:ListTasks": _listed_tasks,
    "ecs:TagResource": _tagged("resourceArn"),
    "ecs:UntagResource": _tagged("resourceArn"),
    "rds:AddTagsToResource": _tagged("ResourceName"),
    "rds:RemoveTagsFromResource": _tagged("ResourceName"),
    "rds:CreateDBSnapshot": _new_database_snapshot,
    "rds:CreateDBClusterSnapshot": _new_cluster_snapshot,
    "elasticache:AddTagsToResource": _tagged("ResourceName"),
    "elasticache:ListTagsForResource": _tagged("ResourceName"),
    "elasticache:RemoveTagsFromResource": _tagged("ResourceName"),
    "elasticloadbalancing:ModifyLoadBalancerAttributes": _tagged("LoadBalancerArn"),
    "ec2:StartInstances": _instances,
    "ec2:StopInstances": _instances,
    "ec2:DescribeInstanceAttribute": _instances,
    "ec2:CreateSnapshot": _new_volume_snapshot,
    "ec2:DeleteSnapshot": _volume_snapshot,
    "application-autoscaling:RegisterScalableTarget": _scalable_target,
    "ssm:StartSession": _new_session,
    "ssm:GetParameter": _parameters,
    "ssm:PutParameter": _parameters,
    "ssm:DeleteParameters": _parameters,
    "ssm:GetParametersByPath": _parameters,
    "ssm:SendCommand": _sent_command,
    "secretsmanager:BatchGetSecretValue": _secrets,
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:PutSecretValue": _secret,
    "secretsmanager:DescribeSecret": _secret,
    "secretsmanager:DeleteSecret": _secret,
    "secretsmanager:CreateSecret": _new_secret,
    "logs:DescribeLogGroups": _log_groups,
    "logs:GetLogEvents": _log_stream,
    "logs:FilterLogEvents": _log_stream,
    "acm:DescribeCertificate": _certificate,
    "iam:SimulatePrincipalPolicy": _role,
    "iam:GetInstanceProfile": _instance_profile,
    "route53:ListResourceRecordSets": _zone,
    "route53:ChangeResourceRecordSets": _zone,
    "route53:GetHostedZone": _zone,
    "route53:GetChange": _spreading,
    "sts:AssumeRole": _assumed,
}

_NAMED: Mapping[str, Sequence[tuple[str, str]]] = {
    "rds": (
        ("DBInstanceIdentifier", "db:{}"),
        ("DBSnapshotIdentifier", "snapshot:{}"),
        ("DBClusterIdentifier", "cluster:{}"),
        ("DBClusterSnapshotIdentifier", "cluster-snapshot:{}"),
    ),
    "elasticache": (
        ("ReplicationGroupId", "replicationgroup:{}"),
        ("CacheClusterId", "cluster:{}"),
        ("SnapshotName", "snapshot:{}"),
    ),
}
"""Service → its parameters that name a resource, and the resource: each that is given must be allowed."""

_OF_A_KIND = frozenset({"DescribeDBInstances", "DescribeReplicationGroups"})
"""Operations that, naming nothing, look at everything of the service's first kind."""
