"""Somebody else's parts, one of each kind that lies beside a stack in an account, and a census of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.e2e.stage import Stage

OTHER = "onyx-prod-2"
"""A stack whose name begins as ours."""
TAGS = [{"Key": "Stack", "Value": OTHER}]
_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def settle(made: Stage) -> Mapping[str, Any]:
    """Make them; what tells where each is."""
    here = made.aws.client
    vpc = here("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    group = here("ec2").create_security_group(GroupName=OTHER, Description="theirs", VpcId=vpc)["GroupId"]
    subnet = here("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    image = here("ec2").describe_instances()["Reservations"][0]["Instances"][0]["ImageId"]
    machine = here("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, InstanceType="t3.small")
    volume = here("ec2").create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
    targets = here("elbv2").create_target_group(Name=OTHER, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    target = targets["TargetGroups"][0]["TargetGroupArn"]
    (listener,) = (
        one["ListenerArn"]
        for one in here("elbv2").describe_listeners(LoadBalancerArn=made.contract["load_balancer"]["arn"])["Listeners"]
        if one["Port"] == 443
    )
    rule = here("elbv2").create_rule(
        ListenerArn=listener,
        Priority=4000,
        Conditions=[{"Field": "host-header", "Values": ["theirs.example.net"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": target}],
    )["Rules"][0]["RuleArn"]
    here("ecs").create_cluster(clusterName=OTHER)
    container = {"name": "billing", "image": "nginx:1.27.5-alpine"}
    td = here("ecs").register_task_definition(family=OTHER, containerDefinitions=[container], cpu="256", memory="512")
    service = made.service("customer-a")["serviceName"]
    for cluster in (OTHER, made.contract["cluster"]):
        name = service if cluster == OTHER else OTHER
        definition = td["taskDefinition"]["taskDefinitionArn"]
        here("ecs").create_service(cluster=cluster, serviceName=name, taskDefinition=definition, desiredCount=0)
    here("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{OTHER}/{service}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=0,
        MaxCapacity=2,
    )
    here("iam").create_role(RoleName=OTHER, AssumeRolePolicyDocument=_TRUST)
    here("logs").create_log_group(logGroupName=f"/{OTHER}")
    zone = here("route53").create_hosted_zone(Name="theirs.example.net", CallerReference="1")["HostedZone"]["Id"]
    s3 = here("s3")
    s3.create_bucket(Bucket=f"{OTHER}-files", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_tagging(Bucket=f"{OTHER}-files", Tagging={"TagSet": TAGS})
    s3.put_object(Bucket=f"{OTHER}-files", Key="k", Body=b"theirs")
    here("ec2").get_waiter("instance_running").wait(InstanceIds=[machine["Instances"][0]["InstanceId"]])
    return {
        "key": here("kms").create_key(Tags=[{"TagKey": "Stack", "TagValue": OTHER}])["KeyMetadata"]["KeyId"],
        "secret": here("secretsmanager").create_secret(Name=f"{OTHER}/key", SecretString="theirs", Tags=TAGS)["ARN"],
        "snapshot": here("ec2").create_snapshot(VolumeId=volume)["SnapshotId"],
        "machine": machine["Instances"][0]["InstanceId"],
        "group": group,
        "listener": listener,
        "target": target,
        "rule": rule,
        "zone": zone,
        "service": service,
    }


def census(made: Stage, where: Mapping[str, Any]) -> Mapping[str, Any]:
    """All that a command could change of them: equal before and after means that nothing was changed."""
    here, elb, ecs = made.aws.client, made.aws.client("elbv2"), made.aws.client("ecs")
    theirs = {OTHER: where["service"], made.contract["cluster"]: OTHER}
    services = {
        cluster: ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"][0]
        for cluster, name in theirs.items()
    }
    scaling = here("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{OTHER}/{where['service']}"]
    )["ScalableTargets"]
    clusters = ecs.describe_clusters(clusters=list(theirs), include=["TAGS", "SETTINGS"])["clusters"]
    machine = here("ec2").describe_instances(InstanceIds=[where["machine"]])["Reservations"][0]["Instances"][0]
    secret = here("secretsmanager").describe_secret(SecretId=where["secret"])
    s3 = here("s3")
    return {
        "clusters": {one["clusterName"]: (one["status"], one["tags"], one["settings"]) for one in clusters},
        "services": {
            cluster: (one["status"], one["desiredCount"], one.get("tags"), [it["id"] for it in one["deployments"]])
            for cluster, one in services.items()
        },
        "scaling": [(one["MinCapacity"], one["MaxCapacity"], one.get("SuspendedState")) for one in scaling],
        "key": here("kms").describe_key(KeyId=where["key"])["KeyMetadata"],
        "grants": here("kms").list_grants(KeyId=where["key"])["Grants"],
        "secret": (secret["VersionIdsToStages"], secret["Tags"], secret.get("DeletedDate")),
        "zone": here("route53").list_resource_record_sets(HostedZoneId=where["zone"])["ResourceRecordSets"],
        "target group": (
            elb.describe_target_groups(TargetGroupArns=[where["target"]])["TargetGroups"],
            elb.describe_target_group_attributes(TargetGroupArn=where["target"])["Attributes"],
            elb.describe_target_health(TargetGroupArn=where["target"])["TargetHealthDescriptions"],
        ),
        "listener": elb.describe_listeners(ListenerArns=[where["listener"]])["Listeners"],
        "rule": elb.describe_rules(RuleArns=[where["rule"]])["Rules"],
        "security groups": here("ec2").describe_security_groups(GroupIds=[where["group"]])["SecurityGroups"],
        "role": here("iam").get_role(RoleName=OTHER)["Role"],
        "policies": here("iam").list_role_policies(RoleName=OTHER)["PolicyNames"],
        "logs": here("logs").describe_log_groups(logGroupNamePrefix=f"/{OTHER}")["logGroups"],
        "snapshot": here("ec2").describe_snapshots(SnapshotIds=[where["snapshot"]])["Snapshots"][0].get("Tags"),
        "machine": (machine["State"]["Name"], machine.get("Tags"), machine["InstanceType"]),
        "bucket": (
            s3.get_bucket_tagging(Bucket=f"{OTHER}-files")["TagSet"],
            s3.get_bucket_versioning(Bucket=f"{OTHER}-files").get("Status"),
            [(one["Key"], one["ETag"]) for one in s3.list_objects_v2(Bucket=f"{OTHER}-files")["Contents"]],
        ),
    }
