"""Somebody's Django on Aurora: from `init` with a file of answers to a site that answers, a pause, and the way back."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain
from tests.terraform.conftest import ROOT, Terraform
from tests.terraform.test_inferred_stack import Ended, Place

pytestmark = [pytest.mark.terraform, pytest.mark.cloud, pytest.mark.slow]

STACK = Path(__file__).parent / "stacks" / "aurora"
SHARED = ROOT / "tests" / "corpus" / "shared"
ANSWERS = {
    "tenants": {
        "clinic": {
            "hostname": "clinic.vigilon.app",
            "database": "clinic",
            "role": "clinic_app",
            "secret_arn": {"resource": "aws_secretsmanager_secret.django"},
        }
    }
}
PASSWORD = "obviously-fake-clinic-password"


@pytest.fixture
def place(tmp_path: Path, tools: toolchain.Toolchain, terraform_environment: dict[str, str]) -> Iterator[Place]:
    shutil.copytree(STACK, tmp_path / "stack")
    shutil.copytree(SHARED, tmp_path / "shared")
    running = client.up("aurora", tmp_path / "cloud", speed=300)
    try:
        environment = terraform_environment | client.ask(running, "env") | tools.choose(tmp_path / "stack")
        made = Place(tmp_path / "stack", environment)
        made.aws("route53").create_hosted_zone(Name="vigilon.app", CallerReference="test")
        yield made
    finally:
        client.down(tmp_path / "cloud")


def test_init_apply_pause_and_resume(place: Place, tmp_path: Path) -> None:
    terraform = Terraform(place.directory, place.environment)
    terraform.run("init", "-no-color")
    terraform.run("apply", "-no-color", "-auto-approve")

    asked = place.orchestrate("init")
    assert asked.status == 2
    assert "clinic (DB_NAME)" in asked.stderr, "what Django calls it is offered, not taken"
    (tmp_path / "answers.json").write_text(json.dumps(ANSWERS))
    began = place.orchestrate("init", "--answers", str(tmp_path / "answers.json"))
    assert began.status == 0, began
    assert tomllib.loads((place.directory / "orchestrate.toml").read_text())["contract"]["stack"] == "clinic"
    contract = json.loads(place.orchestrate("contract", "--json").stdout)
    assert (contract["database"]["cluster"], contract["database"]["instance"]) == ("clinic", None)
    assert contract["tenants"]["clinic"]["health_path"] == "/healthz/"

    applied = place.orchestrate("apply", "--auto-approve", "--json", "--poll", "0.5")
    assert applied.status == 0, told(applied)
    assert any("https://clinic.vigilon.app answers with HTTP 200" in one for one in told(applied))
    again = place.orchestrate("apply", "--auto-approve", "--json", "--poll", "0.5")
    assert (again.status, json.loads(again.stdout.splitlines()[-1])["changed"]) == (0, 0)
    looked = place.orchestrate("doctor", "--json")
    found = {one["code"] for one in map(json.loads, looked.stdout.splitlines()) if one["event"] == "finding-reported"}
    assert found <= {"certificate-not-issued"}, told(looked)

    assert place.orchestrate("pause", "--auto-approve", "--poll", "0.5").status == 0
    rds = place.aws("rds")
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier="clinic")["DBClusters"]
    assert cluster["Status"] == "stopped"
    resumed = place.orchestrate("resume", "--json", "--poll", "0.5")
    assert resumed.status == 0, told(resumed)
    assert signs_in(place, cluster["Endpoint"]), "the role that the tasks sign in as owns its database"
    everything = "".join(one.stdout + one.stderr for one in (asked, began, applied, again, looked, resumed))
    assert PASSWORD not in everything


def told(ended: Ended) -> list[str]:
    return [json.loads(line).get("detail", "") for line in ended.stdout.splitlines()]


def signs_in(place: Place, host: str) -> bool:
    cloud = client.require(place.directory.parent / "cloud")
    ip, _, port = client.ask(cloud, "status")["addresses"][host].partition(":")
    where = {"host": host, "hostaddr": ip, "port": int(port), "sslrootcert": place.environment["ORCHESTRATE_CA_FILE"]}
    with psycopg.connect(user="clinic_app", password=PASSWORD, dbname="clinic", sslmode="verify-full", **where) as it:
        it.execute("CREATE TABLE proof (id int)")
        return True
