"""Quotas: one more than AWS gives by default is refused with AWS's code; as many as it gives are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local import world
from orchestrator.local.laws.quota_rows import ROWS
from tests.local.local_cloud import Aws

pytestmark = pytest.mark.cloud

Anybody = Callable[..., Any]


@pytest.fixture(scope="module")
def balancer(aws: Aws) -> str:
    """The example stack's, with two rules and two target groups."""
    return str(world.build(aws.session, endpoint=aws.endpoint)["load_balancer"]["arn"])


def refused(code: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["Error"]["Code"] == code


def test_a_balancers_rules_target_groups_and_certificates(aws: Aws, anybody: Anybody, balancer: str) -> None:
    elb, acm = anybody("elbv2"), anybody("acm")
    listener = next(
        one["ListenerArn"]
        for one in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        if one["Port"] == 443
    )
    vpc = elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]["VpcId"]
    many = aws.client("elbv2")

    def rule(number: int, group: str) -> Callable[[], Any]:
        host = [{"Field": "host-header", "HostHeaderConfig": {"Values": [f"site-{number}.vigilon.app"]}}]
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        return lambda: many.create_rule(ListenerArn=listener, Priority=1000 + number, Conditions=host, Actions=forward)

    def group(number: int) -> str:
        made = many.create_target_group(Name=f"group-{number}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    last = ""
    for number in range(97):
        last = group(number)
        rule(number, last)()
    default = {"ListenerArn": listener, "DefaultActions": [{"Type": "forward", "TargetGroupArn": group(97)}]}
    many.modify_listener(**default)
    refused("TooManyUniqueTargetGroupsPerLoadBalancer", rule(98, group(98)))
    rule(98, last)()
    refused("TooManyRules", rule(99, last))
    for number in range(25):
        arn = acm.request_certificate(DomainName=f"site-{number}.vigilon.app")["CertificateArn"]
        elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arn}])
    more = acm.request_certificate(DomainName="more.vigilon.app")["CertificateArn"]
    once_more = [{"CertificateArn": more}]
    refused("TooManyCertificates", lambda: elb.add_listener_certificates(ListenerArn=listener, Certificates=once_more))


def test_names_of_a_certificate(anybody: Anybody) -> None:
    names = [f"site-{number}.vigilon.app" for number in range(11)]
    ask = anybody("acm").request_certificate
    ask(DomainName=names[0], SubjectAlternativeNames=names[:10])
    refused("LimitExceededException", lambda: ask(DomainName=names[0], SubjectAlternativeNames=names[1:]))


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("create_vpc", {"CidrBlock": "10.9.0.0/16"}, "VpcLimitExceeded"),
        ("create_internet_gateway", {}, "InternetGatewayLimitExceeded"),
        ("allocate_address", {"Domain": "vpc"}, "AddressLimitExceeded"),
    ],
)
def test_what_an_account_may_have_in_a_region(
    anybody: Anybody, operation: str, parameters: dict[str, Any], code: str
) -> None:
    make = getattr(anybody("ec2"), operation)
    refused(code, lambda: [make(**parameters) for _ in range(6)])


def test_a_role_has_so_much_to_say(anybody: Anybody) -> None:
    iam = anybody("iam")
    iam.create_role(RoleName="talkative", AssumeRolePolicyDocument="{}")

    def document(characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "r"}]})
        return text.replace('"r"', '"arn:aws:s3:::' + "r" * characters + '"')

    put = iam.put_role_policy
    put(RoleName="talkative", PolicyName="one", PolicyDocument=document(6000))
    put(RoleName="talkative", PolicyName="one", PolicyDocument=document(6000))
    refused("LimitExceeded", lambda: put(RoleName="talkative", PolicyName="two", PolicyDocument=document(6000)))


def test_service_quotas_tells_them(anybody: Anybody) -> None:
    quotas = anybody("service-quotas")
    told = {
        one["QuotaCode"]: one["Value"]
        for service in sorted({row.listed for row in ROWS if row.code})
        for page in quotas.get_paginator("list_service_quotas").paginate(ServiceCode=service)
        for one in page["Quotas"]
    }
    assert told == {row.code: float(row.most) for row in ROWS if row.code}
    one = quotas.get_service_quota(ServiceCode="acm", QuotaCode="L-FB94F0B0")["Quota"]
    assert (one["QuotaName"], one["Value"], one["Adjustable"]) == ("Domain names per ACM certificate", 10.0, True)
