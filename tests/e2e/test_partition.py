"""A stack in another partition of AWS, GovCloud: other ARNs, no public Route 53, its DNS at Porkbun."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.stage import Stage, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

REGION, PARTITION = "us-gov-west-1", "aws-us-gov"


@pytest.fixture(scope="module")
def gov(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("partition")
    with stage(folder, enforce_iam=True, region=REGION, provider="porkbun") as made:
        yield made


def test_it_comes_to_life_and_stays_so(gov: Stage) -> None:
    assert f"arn:{PARTITION}:" in json.dumps(gov.contract)
    assert "arn:aws:" not in json.dumps(gov.contract)
    assert gov.run().succeeded().last["changed"] > 0
    gov.command("certificate", "--json").succeeded()
    assert gov.run().succeeded().last["changed"] == 0
    assert gov.aws.client("route53").list_hosted_zones()["HostedZones"] == []


def test_the_doctor_finds_nothing(gov: Stage) -> None:
    until("healthy", lambda: not gov.command("doctor", "--json").of("finding-reported"))
    assert gov.command("doctor", "--json").status == 0


def test_the_policy_is_of_this_partition(gov: Stage) -> None:
    contract = gov.folder / "contract.json"
    contract.write_text(json.dumps(gov.contract))
    said = gov.orchestrate("policy", "run", "--contract", str(contract)).stdout
    assert f"arn:{PARTITION}:ecs:{REGION}:" in said
    assert "arn:aws:" not in said


def test_what_is_missing_is_explained_in_its_arns(gov: Stage) -> None:
    gov.fault("logs-denied")
    said = until("it is found", lambda: found if "log-group-denied" in (found := gov.command("doctor").stdout) else "")
    assert f"arn:{PARTITION}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy" in said
    gov.clear_faults()
