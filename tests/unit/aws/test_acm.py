"""A certificate as ACM answers it: what the answer holds is checked by botocore's own model."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.aws.acm import ISSUED, PENDING, Acm, Validation
from orchestrator.errors import Invalid

ARN = "arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
RECORD = {"Name": "_a.example.com.", "Type": "CNAME", "Value": "_b.acm-validations.aws."}


@pytest.fixture
def stubbed() -> tuple[Acm, Stubber]:
    make: Any = boto3.client
    client = make("acm", region_name="us-west-2", aws_access_key_id="test", aws_secret_access_key="test")
    stubber = Stubber(client)
    stubber.activate()
    return Acm(client), stubber


def test_a_certificate_with_its_records(stubbed: tuple[Acm, Stubber]) -> None:
    acm, stubber = stubbed
    names = [
        {"DomainName": "b.example.com", "ValidationStatus": "SUCCESS", "ResourceRecord": RECORD},
        {"DomainName": "a.example.com", "ValidationStatus": PENDING, "ValidationMethod": "DNS"},
    ]
    found = {"CertificateArn": ARN, "Status": ISSUED, "DomainValidationOptions": names}
    stubber.add_response("describe_certificate", {"Certificate": found}, {"CertificateArn": ARN})
    said = acm.certificate(ARN)
    assert (said.status, said.method, said.not_after) == (ISSUED, "DNS", None)
    assert said.validations == (
        Validation("a.example.com", PENDING),
        Validation("b.example.com", "SUCCESS", RECORD["Name"], RECORD["Value"]),
    )


def test_a_certificate_that_is_not_there(stubbed: tuple[Acm, Stubber]) -> None:
    acm, stubber = stubbed
    stubber.add_client_error("describe_certificate", "ResourceNotFoundException")
    with pytest.raises(Invalid) as caught:
        acm.certificate(ARN)
    assert caught.value.problems[0].code == "certificate-missing"
