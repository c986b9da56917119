"""ACM in the local cloud believes the DNS only, and `orchestrate certificate` makes it issue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.local.local_cloud import Aws, LocalCloud
from tests.waiting import until

pytestmark = pytest.mark.cloud

ZONE = "certificates.example"
DEADLINE = 60.0


@pytest.fixture(scope="module")
def zone_id(aws: Aws) -> str:
    return str(aws.client("route53").create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"])


def request(aws: Aws, *names: str) -> str:
    more = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
    answer = aws.client("acm").request_certificate(DomainName=names[0], ValidationMethod="DNS", **more)
    return str(answer["CertificateArn"])


def certificate(aws: Aws, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def states(aws: Aws, arn: str) -> dict[str, str]:
    """How far the validation of each name is."""
    return {one["DomainName"]: one["ValidationStatus"] for one in certificate(aws, arn)["DomainValidationOptions"]}


def reaches(aws: Aws, arn: str, status: str) -> dict[str, Any]:
    until(f"it is {status}", lambda: certificate(aws, arn)["Status"] == status)
    return certificate(aws, arn)


def publish(aws: Aws, zone_id: str, name: str, kind: str, value: str) -> None:
    record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch: Any = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def orchestrate(cloud: LocalCloud, folder: Path, arn: str, dns: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
    said = {"arn": arn, "region": "us-west-2", "account_id": "123456789012", "dns": dns}
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", "certificate", "--json", "--poll", "0.5"],
        env=inherited | cloud.ask("env") | {"HOME": str(folder), "ORCHESTRATE_CERTIFICATE": json.dumps(said)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_it_waits_for_every_name(aws: Aws, zone_id: str) -> None:
    arn = request(aws, f"a.{ZONE}", f"b.{ZONE}")
    options = {one["DomainName"]: one for one in certificate(aws, arn)["DomainValidationOptions"]}
    first = options[f"a.{ZONE}"]["ResourceRecord"]
    publish(aws, zone_id, first["Name"], "CNAME", first["Value"])
    until("the first name is validated", lambda: states(aws, arn)[f"a.{ZONE}"] == "SUCCESS")
    assert states(aws, arn)[f"b.{ZONE}"] == "PENDING_VALIDATION"
    found = certificate(aws, arn)
    assert (found["Status"], "IssuedAt" in found) == ("PENDING_VALIDATION", False)
    second = options[f"b.{ZONE}"]["ResourceRecord"]
    publish(aws, zone_id, second["Name"], "CNAME", second["Value"])
    assert "IssuedAt" in reaches(aws, arn, "ISSUED")


def test_a_caa_record_forbids(aws: Aws, zone_id: str) -> None:
    publish(aws, zone_id, f"closed.{ZONE}", "CAA", '0 issue "letsencrypt.org"')
    arn = request(aws, f"shop.closed.{ZONE}")
    [option] = certificate(aws, arn)["DomainValidationOptions"]
    publish(aws, zone_id, option["ResourceRecord"]["Name"], "CNAME", option["ResourceRecord"]["Value"])
    assert reaches(aws, arn, "FAILED")["FailureReason"] == "CAA_ERROR"


@pytest.mark.parametrize("provider", ["route53", "porkbun"])
def test_orchestrate_certificate_brings_it_to_issued_and_then_does_nothing(
    aws: Aws, zone_id: str, cloud: LocalCloud, tmp_path: Path, provider: str
) -> None:
    zone = {"route53": ZONE, "porkbun": "porkbun.example"}[provider]
    names = [f"x.{zone}", f"y.{zone}"]
    dns = {"provider": provider, "zone": zone}
    first = request(aws, *names)
    status, events = orchestrate(cloud, tmp_path, first, dns)
    assert (status, events[-1]["outcome"], events[-1]["changed"]) == (0, "succeeded", 2), events
    assert certificate(aws, first)["Status"] == "ISSUED"

    again = request(aws, *names)
    assert again != first
    status, events = orchestrate(cloud, tmp_path, again, dns)
    assert (status, events[-1]["changed"]) == (0, 0), "made again, its records are there"
    assert certificate(aws, again)["Status"] == "ISSUED"
    assert orchestrate(cloud, tmp_path, again, dns)[0] == 0


def test_a_failed_certificate_is_said_with_its_way_out(
    aws: Aws, zone_id: str, cloud: LocalCloud, tmp_path: Path
) -> None:
    publish(aws, zone_id, f"strict.{ZONE}", "CAA", '0 issue ";"')
    arn = request(aws, f"strict.{ZONE}")
    status, events = orchestrate(cloud, tmp_path, arn, {"provider": "route53", "zone": ZONE})
    assert status == 1
    [failed] = [event for event in events if event["event"] == "step-failed"]
    assert (failed["code"], "CAA" in failed["fix"]) == ("certificate-failed", True)


def test_records_that_its_renewal_lacks_are_published_again(
    aws: Aws, zone_id: str, cloud: LocalCloud, tmp_path: Path
) -> None:
    arn, dns = request(aws, f"old.{ZONE}"), {"provider": "route53", "zone": ZONE}
    assert orchestrate(cloud, tmp_path, arn, dns)[0] == 0
    end = certificate(aws, arn)["NotAfter"]
    cloud.ask("faults", "POST", name="certificate-expiring", tenant="")
    try:
        until("it ends sooner", lambda: certificate(aws, arn)["NotAfter"] < end)
        status, events = orchestrate(cloud, tmp_path, arn, dns)
        assert (status, events[-1]["changed"]) == (0, 1), events
        until("it is renewed", lambda: certificate(aws, arn)["NotAfter"] == end)
    finally:
        cloud.ask("faults", "DELETE", name="certificate-expiring", tenant="")


def test_a_list_has_short_rsa_keys_unless_it_asks_for_others(aws: Aws) -> None:
    acm, authority = aws.client("acm"), trustme.CA()

    def imported(hostname: str, kind: trustme.KeyType) -> str:
        leaf = authority.issue_cert(hostname, key_type=kind)
        key, cert = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
        answer = acm.import_certificate(Certificate=cert, PrivateKey=key, CertificateChain=authority.cert_pem.bytes())
        return str(answer["CertificateArn"])

    def listed(**asked: Any) -> set[str]:
        return set(
            acm.get_paginator("list_certificates").paginate(**asked).search("CertificateSummaryList[].CertificateArn")
        )

    elliptic, rsa = imported("ec.example", trustme.KeyType.ECDSA), imported("rsa.example", trustme.KeyType.RSA)
    assert {elliptic, rsa} & listed() == {rsa}
    assert {elliptic, rsa} & listed(Includes={"keyTypes": ["EC_prime256v1"]}) == {elliptic}
