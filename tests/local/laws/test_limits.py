from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local.core.caller import OBSERVER, TERRAFORM
from tests.local.laws.conftest import Anybody

pytestmark = pytest.mark.cloud

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/0123456789abcdef"
RECORD = {"Name": "a.example.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
UPSERT = {"Action": "UPSERT", "ResourceRecordSet": RECORD}


@pytest.mark.parametrize(
    ("service", "call", "arguments", "code", "words"),
    [
        ("ecs", "describe_services", {"services": ["a"] * 11}, "InvalidParameterException", "at most 10 items"),
        ("elbv2", "describe_target_groups", {"TargetGroupArns": [ARN] * 21}, "ValidationError", "more than '20'"),
        (
            "route53",
            "change_resource_record_sets",
            {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": [UPSERT] * 501}},
            "InvalidChangeBatch",
            "limit of 1000 exceeded",
        ),
    ],
)
@pytest.mark.parametrize("agent", ["", TERRAFORM, OBSERVER])
def test_a_limit_holds_for_everybody_in_the_services_own_protocol(
    anybody: Anybody, service: str, call: str, arguments: dict[str, Any], code: str, words: str, agent: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(anybody(service, agent=agent), call)(**arguments)
    said = refused.value.response
    assert said["Error"]["Code"] == code
    assert words in said["Error"]["Message"]
    assert said["ResponseMetadata"]["HTTPStatusCode"] == 400
