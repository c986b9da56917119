"""What a stack's cloud is asked, so that its answers can be held against AWS's: one question for each operation.

Questions are asked in their order; those that change something change nothing that a run looks at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.local.core.waiting import eventually

Contract = Mapping[str, Any]
Arguments = Mapping[str, Any]
Clients = Callable[[str], Any]
SCRIPT: Arguments = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["echo here"]}}
PATIENCE = 300.0
"""Seconds until a command has ended."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What questions are made of: the contract, and names that only the cloud itself knows."""

    contract: Contract
    tasks: list[str]
    task_definition: str
    role: str
    listener: str
    zone: str
    key: str
    stream: str
    command: str
    volume: str

    @property
    def tenant(self) -> Mapping[str, Any]:
        """The first one."""
        return dict(next(iter(self.contract["tenants"].values())))

    @property
    def role_name(self) -> str:
        """The role that the tenant's task starts with."""
        return self.role.rpartition("/")[2]


def facts(clients: Clients, contract: Contract) -> Facts:
    """Looked up by way of the services; a command is sent for the sake of its end."""
    tenant = next(iter(contract["tenants"].values()))
    streams = clients("logs").describe_log_streams(logGroupName=tenant["log_group"])["logStreams"]
    ecs, cluster = clients("ecs"), contract["cluster"]
    service = ecs.describe_services(cluster=cluster, services=[tenant["service"]])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    listeners = (
        clients("elbv2").get_paginator("describe_listeners").paginate(LoadBalancerArn=contract["load_balancer"]["arn"])
    )
    return Facts(
        contract=contract,
        tasks=ecs.list_tasks(cluster=cluster, serviceName=tenant["service"])["taskArns"],
        task_definition=service["taskDefinition"],
        role=definition["executionRoleArn"],
        listener=next(one["ListenerArn"] for page in listeners for one in page["Listeners"] if one["Port"] == 443),
        zone=clients("route53").list_hosted_zones_by_name(DNSName=contract["dns"]["zone"])["HostedZones"][0]["Id"],
        key=clients("kms").create_key()["KeyMetadata"]["KeyId"],
        stream=streams[0]["logStreamName"] if streams else "",
        command=_finished_command(clients("ssm"), contract["runner"]["instance_id"]),
        volume=clients("ec2").describe_volumes()["Volumes"][0]["VolumeId"],
    )


def _finished_command(ssm: Any, instance: str) -> str:
    sent = ssm.send_command(InstanceIds=[instance], **SCRIPT)["Command"]["CommandId"]

    def ended() -> bool:
        try:
            answer = ssm.get_command_invocation(CommandId=sent, InstanceId=instance)
        except ssm.exceptions.InvocationDoesNotExist:
            return False
        return answer["Status"] not in ("Pending", "InProgress")

    eventually(ended, PATIENCE)
    return str(sent)


def _hour() -> Arguments:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(hours=1), "EndTime": now}


def questions(known: Facts) -> Iterator[tuple[str, Arguments]]:
    """`service:Operation`, and what it is asked with."""
    yield from _of_the_stack(known)
    yield from _of_its_data(known)
    yield from _that_change(known)


def _of_the_stack(known: Facts) -> Iterator[tuple[str, Arguments]]:
    contract, tenant = known.contract, known.tenant
    balancer, group = contract["load_balancer"]["arn"], tenant["target_group_arn"]
    redis, cluster, service = contract["redis"]["replication_group"], contract["cluster"], tenant["service"]
    yield "acm:DescribeCertificate", {"CertificateArn": contract["certificate"]["arn"]}
    yield "acm:ListCertificates", {}
    yield "application-autoscaling:DescribeScalableTargets", {"ServiceNamespace": "ecs"}
    for plural in ("Instances", "InternetGateways", "NatGateways", "NetworkAcls", "NetworkInterfaces", "RouteTables"):
        yield f"ec2:Describe{plural}", {}
    for plural in ("SecurityGroups", "Subnets", "Tags", "Volumes", "VpcEndpoints", "Vpcs"):
        yield f"ec2:Describe{plural}", {}
    yield "ecs:DescribeClusters", {"clusters": [cluster]}
    yield "ecs:DescribeServices", {"cluster": cluster, "services": [service], "include": ["TAGS"]}
    yield "ecs:DescribeTaskDefinition", {"taskDefinition": known.task_definition, "include": ["TAGS"]}
    yield "ecs:DescribeTasks", {"cluster": cluster, "tasks": known.tasks}
    yield "ecs:ListClusters", {}
    yield "ecs:ListServices", {"cluster": cluster}
    yield "ecs:ListTasks", {"cluster": cluster}
    yield "elasticache:DescribeCacheClusters", {"ShowCacheNodeInfo": True}
    yield "elasticache:DescribeCacheSubnetGroups", {}
    yield "elasticache:DescribeReplicationGroups", {"ReplicationGroupId": redis}
    yield "elbv2:DescribeListeners", {"LoadBalancerArn": balancer}
    yield "elbv2:DescribeLoadBalancerAttributes", {"LoadBalancerArn": balancer}
    yield "elbv2:DescribeLoadBalancers", {"LoadBalancerArns": [balancer]}
    yield "elbv2:DescribeRules", {"ListenerArn": known.listener}
    yield "elbv2:DescribeTags", {"ResourceArns": [balancer]}
    yield "elbv2:DescribeTargetGroupAttributes", {"TargetGroupArn": group}
    yield "elbv2:DescribeTargetGroups", {"TargetGroupArns": [group]}
    yield "elbv2:DescribeTargetHealth", {"TargetGroupArn": group}
    yield "iam:GetRole", {"RoleName": known.role_name}
    yield "iam:ListAttachedRolePolicies", {"RoleName": known.role_name}
    yield "iam:ListRolePolicies", {"RoleName": known.role_name}
    simulated = {"PolicySourceArn": known.role, "ActionNames": ["logs:PutLogEvents"], "ResourceArns": ["*"]}
    yield "iam:SimulatePrincipalPolicy", simulated


def _of_its_data(known: Facts) -> Iterator[tuple[str, Arguments]]:
    contract, tenant = known.contract, known.tenant
    bucket, database = contract["bucket"], contract["database"]["instance"]
    yield "kms:DescribeKey", {"KeyId": known.key}
    yield "logs:DescribeLogGroups", {"logGroupNamePrefix": tenant["log_group"]}
    yield "logs:DescribeLogStreams", {"logGroupName": tenant["log_group"]}
    yield "logs:GetLogEvents", {"logGroupName": tenant["log_group"], "logStreamName": known.stream}
    metric = {"Namespace": "AWS/RDS", "MetricName": "CPUUtilization"}
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": database}]
    stat = {"Metric": metric | {"Dimensions": dimensions}, "Period": 60, "Stat": "Average"}
    yield "cloudwatch:GetMetricData", {"MetricDataQueries": [{"Id": "cpu", "MetricStat": stat}], **_hour()}
    asked = {"Dimensions": dimensions, "Period": 60, "Statistics": ["Average"]}
    yield "cloudwatch:GetMetricStatistics", {**metric, **asked, **_hour()}
    yield "rds:DescribeDBInstances", {"DBInstanceIdentifier": database}
    yield "rds:DescribeDBSubnetGroups", {}
    yield "ec2:CreateSnapshot", {"VolumeId": known.volume, "Description": "answers"}
    yield "ec2:DescribeSnapshots", {"OwnerIds": ["self"]}
    yield "rds:CreateDBSnapshot", {"DBInstanceIdentifier": database, "DBSnapshotIdentifier": "answers"}
    yield "rds:DescribeDBSnapshots", {}
    yield "route53:ListHostedZones", {}
    yield "route53:ListHostedZonesByName", {"DNSName": contract["dns"]["zone"]}
    record = {"Name": f"answers.{contract['dns']['zone']}", "Type": "TXT", "TTL": 60}
    change = {"Action": "CREATE", "ResourceRecordSet": record | {"ResourceRecords": [{"Value": '"here"'}]}}
    yield "route53:ChangeResourceRecordSets", {"HostedZoneId": known.zone, "ChangeBatch": {"Changes": [change]}}
    yield "route53:ListResourceRecordSets", {"HostedZoneId": known.zone}
    yield "s3:GetBucketLocation", {"Bucket": bucket}
    yield "s3:GetBucketVersioning", {"Bucket": bucket}
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    yield "s3:PutPublicAccessBlock", {"Bucket": bucket, "PublicAccessBlockConfiguration": closed}
    yield "s3:GetPublicAccessBlock", {"Bucket": bucket}
    yield "s3:PutObject", {"Bucket": bucket, "Key": "onyx-files/answers", "Body": b"here"}
    yield "s3:ListObjectVersions", {"Bucket": bucket}
    yield "secretsmanager:DescribeSecret", {"SecretId": tenant["secret_arn"]}
    yield "secretsmanager:ListSecrets", {}
    yield "sts:GetCallerIdentity", {}


def _that_change(known: Facts) -> Iterator[tuple[str, Arguments]]:
    contract, instance = known.contract, known.contract["runner"]["instance_id"]
    cluster, service, database = contract["cluster"], known.tenant["service"], contract["database"]["instance"]
    yield "ssm:DescribeInstanceInformation", {}
    yield "ssm:GetCommandInvocation", {"CommandId": known.command, "InstanceId": instance}
    yield "ssm:SendCommand", {"InstanceIds": [instance], **SCRIPT}
    yield "ssm:PutParameter", {"Name": "/answers/one", "Value": json.dumps("here"), "Type": "SecureString"}
    yield "ssm:DescribeParameters", {}
    yield "ssm:DeleteParameters", {"Names": ["/answers/one"]}
    yield "ecs:UpdateService", {"cluster": cluster, "service": service, "forceNewDeployment": True}
    yield "rds:ModifyDBInstance", {"DBInstanceIdentifier": database, "BackupRetentionPeriod": 2}
    yield "ec2:StartInstances", {"InstanceIds": [instance]}


def ask(clients: Clients, known: Facts) -> Mapping[str, list[Mapping[str, Any]] | str]:
    """`service:Operation` → its answer, page by page, or the code it was refused with."""
    return {name: _asked(clients, name, arguments) for name, arguments in questions(known)}


def _asked(clients: Clients, name: str, arguments: Arguments) -> list[Mapping[str, Any]] | str:
    service, _, operation = name.partition(":")
    client, method = clients(service), xform_name(operation)
    try:
        if client.can_paginate(method):
            return list(client.get_paginator(method).paginate(**arguments))
        return [getattr(client, method)(**arguments)]
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except (BotoCoreError, NotImplementedError) as error:  # the second from moto, where it is in this process
        return type(error).__name__
