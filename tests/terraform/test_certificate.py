"""A fresh domain and a plain `terraform apply`: the certificate is issued by the time it ends, with nobody helping."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from orchestrator.local.core import api
from tests.terraform.conftest import Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]

ONLY = "-target=module.certificate"


def aws(stack: Terraform, service: str) -> Any:
    return api.client(stack.environment, service)


def apply(stack: Terraform, provider: str, *more: str, ok: bool = True) -> str:
    """The demo's stack, waiting for its certificate as on AWS; no further than the certificate."""
    settings = [
        "-var-file=examples/demo.tfvars",
        "-var=wait_for_certificate=true",
        f'-var=dns={{provider="{provider}",zone="vigilon.app"}}',
        f"-var=orchestrate_command='{sys.executable}' -m orchestrator",
    ]
    done = stack.run("apply", "-auto-approve", "-no-color", ONLY, *settings, *more, ok=ok)
    return done.stdout + done.stderr


def certificates(stack: Terraform) -> dict[str, str]:
    """ARN → status."""
    acm = aws(stack, "acm")
    every = acm.get_paginator("list_certificates").paginate()
    arns = list(every.search("CertificateSummaryList[].CertificateArn"))
    return {arn: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] for arn in arns}


def destroy(stack: Terraform) -> None:
    stack.run("destroy", "-auto-approve", "-no-color", ONLY, "-var-file=examples/demo.tfvars")
    assert certificates(stack) == {}


def test_a_fresh_domain_needs_no_second_terminal_and_the_records_outlive_the_stack(stack: Terraform) -> None:
    route53 = aws(stack, "route53")
    zone = route53.create_hosted_zone(Name="vigilon.app", CallerReference="fresh")["HostedZone"]["Id"]
    said = apply(stack, "route53")
    assert list(certificates(stack).values()) == ["ISSUED"]
    assert "changed: 2" in said

    records = json.dumps(route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"])
    assert records.count("acm-validations.aws") == 2
    destroy(stack)
    assert json.dumps(route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]) == records

    said = apply(stack, "route53")
    assert list(certificates(stack).values()) == ["ISSUED"]
    assert "changed: 0" in said, "the records are there"
    destroy(stack)
    for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        if one["Type"] == "CNAME":
            batch: Any = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": one}]}
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    route53.delete_hosted_zone(Id=zone)


def test_the_same_at_porkbun(stack: Terraform) -> None:
    said = apply(stack, "porkbun")
    assert list(certificates(stack).values()) == ["ISSUED"]
    assert "changed: 2" in said
    destroy(stack)


def test_a_zone_that_is_not_there_fails_the_apply_and_says_so(stack: Terraform) -> None:
    wrong = '-var=dns={provider="route53",zone="not-there.example"}'
    hosts = '-var=tenants={a={slot=0,hostname="a.not-there.example"}}'
    said = apply(stack, "route53", wrong, hosts, ok=False)
    assert "dns-zone-not-found" in said
    destroy(stack)
