"""A stack of two clusters and two load balancers through the real command line, under the policies that it prints.

Both tenants' services have the same name: what tells them apart is their clusters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.principal import principal
from tests.e2e.stage import Ended, Stage, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

APART, CLUSTER = "customer-b", "onyx-prod-b"
_MADE_ANEW = ("taskDefinition", "desiredCount", "launchType", "healthCheckGracePeriodSeconds", "networkConfiguration")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """As Terraform leaves it, in a cloud that enforces IAM."""
    with stage(tmp_path_factory.mktemp("several"), enforce_iam=True) as made:
        made.contract["tenants"][APART] |= {**balancer_of_its_own(made), **cluster_of_its_own(made)}
        (made.folder / "contract.json").write_text(json.dumps(made.contract))
        yield made


def balancer_of_its_own(made: Stage) -> dict[str, Any]:
    """Beside the first one; the tenant's rule is there, and no longer at the first one."""
    elb, own = made.aws.client("elbv2"), made.contract["tenants"][APART]
    first = elb.describe_load_balancers(LoadBalancerArns=[made.contract["load_balancer"]["arn"]])["LoadBalancers"][0]
    (listener,) = [
        one
        for one in elb.describe_listeners(LoadBalancerArn=first["LoadBalancerArn"])["Listeners"]
        if one["Protocol"] == "HTTPS"
    ]
    (rule,) = [
        one
        for one in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        if own["target_group_arn"] in json.dumps(one["Actions"])
    ]
    elb.delete_rule(RuleArn=rule["RuleArn"])
    second = elb.create_load_balancer(
        Name="onyx-prod-b",
        Subnets=[one["SubnetId"] for one in first["AvailabilityZones"]],
        SecurityGroups=first["SecurityGroups"],
        Type="application",
        Tags=[{"Key": "Stack", "Value": "onyx-prod"}],
    )["LoadBalancers"][0]
    secure = elb.create_listener(
        LoadBalancerArn=second["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": made.contract["certificate"]["arn"]}],
        DefaultActions=listener["DefaultActions"],
    )["Listeners"][0]
    elb.create_rule(
        ListenerArn=secure["ListenerArn"],
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [own["hostname"]]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": own["target_group_arn"]}],
    )
    part = {
        "arn": second["LoadBalancerArn"],
        "dns_name": second["DNSName"],
        "zone_id": second["CanonicalHostedZoneId"],
    }
    return {"load_balancer": part, "certificate": made.contract["certificate"]}


def cluster_of_its_own(made: Stage) -> dict[str, Any]:
    """With its service in it, which is called as the other tenant's is."""
    ecs, home = made.aws.client("ecs"), made.contract["cluster"]
    before, name = made.service(APART), made.service("customer-a")["serviceName"]
    ecs.delete_service(cluster=home, service=before["serviceName"], force=True)
    ecs.create_cluster(clusterName=CLUSTER)
    until(
        "its tasks left the old cluster",
        lambda: not ecs.list_tasks(cluster=home, serviceName=before["serviceName"])["taskArns"],
    )
    ecs.create_service(
        cluster=CLUSTER,
        serviceName=name,
        tags=[{"key": "Stack", "value": "onyx-prod"}],
        loadBalancers=[
            {"targetGroupArn": one["targetGroupArn"], "containerName": "nginx", "containerPort": 80}
            for one in before["loadBalancers"]
        ],
        deploymentConfiguration=before["deploymentConfiguration"],
        **{key: before[key] for key in _MADE_ANEW},
    )
    return {"cluster": CLUSTER, "service": name}


def service(made: Stage, tenant: str) -> dict[str, Any]:
    own = made.contract["tenants"][tenant]
    cluster = own.get("cluster") or made.contract["cluster"]
    ecs = made.aws.client("ecs")
    found: dict[str, Any] = ecs.describe_services(cluster=cluster, services=[own["service"]])["services"][0]
    return found


def tasks(made: Stage) -> dict[str, int]:
    return {tenant: service(made, tenant)["desiredCount"] for tenant in made.contract["tenants"]}


def rows(ended: Ended) -> dict[str, str]:
    return {one["subject"] or one["detail"].partition(" ")[0]: one["state"] for one in ended.of("part-observed")}


def test_it_comes_to_life_each_tenant_behind_its_own_load_balancer(several: Stage) -> None:
    allowed = principal(several, "several", "run")
    allowed.calls("run").succeeded()
    allowed.asked()
    own = several.contract["tenants"][APART]
    assert several.records()[own["hostname"]] == own["load_balancer"]["dns_name"].lower()
    first = several.contract["tenants"]["customer-a"]
    assert several.records()[first["hostname"]] == several.contract["load_balancer"]["dns_name"].lower()
    assert all(service(several, tenant)["runningCount"] for tenant in several.contract["tenants"])
    again = allowed.calls("run").succeeded()
    assert again.last["changed"] == 0


def test_the_status_and_the_doctor_look_at_both(several: Stage) -> None:
    several.command("certificate", "--json").succeeded()
    allowed = principal(several, "several", "status")
    seen = rows(allowed.calls("status"))
    balancers = [several.contract["load_balancer"], several.contract["tenants"][APART]["load_balancer"]]
    assert {seen.get(one["dns_name"].lower()) or seen.get(one["dns_name"]) for one in balancers} == {"up"}
    doctor = principal(several, "several", "doctor")
    ended = doctor.calls("doctor")
    doctor.asked()
    assert [(one["code"], one["subject"]) for one in ended.of("finding-reported")] == []


def test_it_is_backed_up(several: Stage) -> None:
    backup = principal(several, "several", "backup")
    backup.calls("backup").succeeded()
    backup.asked()
    several.command("backup", "--verify", "last", "--json").succeeded()


def test_it_is_paused_and_resumed(several: Stage) -> None:
    pause = principal(several, "several", "pause")
    pause.calls("pause", "--auto-approve").succeeded()
    pause.asked()
    assert tasks(several) == {"customer-a": 0, APART: 0}
    resume = principal(several, "several", "resume")
    resume.calls("resume").succeeded()
    resume.asked()
    assert tasks(several) == {"customer-a": 1, APART: 1}
