"""`apply` and `preflight` on a real plan: what loses data or can't work is refused, and nothing is changed.

The plan needs no cloud: its state is written by hand, and nothing is refreshed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local.toolchain import toolchain
from tests.terraform.conftest import ROOT, Terraform

pytestmark = pytest.mark.terraform

CONFIGURATION = """terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-west-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

resource "aws_s3_bucket" "files" {
  bucket = "onyx-files-new"
}

resource "aws_db_instance" "this" {
  identifier        = "onyx-prod-postgres"
  engine            = "postgres"
  instance_class    = "db.t4g.micro"
  allocated_storage = 20
  username          = "onyx_root"
  password_wo       = "canary-4711-password"

  password_wo_version       = 1
  final_snapshot_identifier = "the-end"
}
"""
STATE = {
    "version": 4,
    "terraform_version": "1.11.0",
    "serial": 1,
    "lineage": "before-it-hurts",
    "outputs": {},
    "resources": [
        {
            "mode": "managed",
            "type": "aws_s3_bucket",
            "name": "files",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [
                {
                    "schema_version": 0,
                    "attributes": {"id": "onyx-files", "bucket": "onyx-files", "force_destroy": False},
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def planned(
    tmp_path_factory: pytest.TempPathFactory, tools: toolchain.Toolchain, terraform_environment: dict[str, str]
) -> Terraform:
    """A directory with the.plan: the bucket is replaced, a database server of the smallest class is made."""
    directory = tmp_path_factory.mktemp("before-it-hurts")
    (directory / "main.tf").write_text(CONFIGURATION)
    state = json.dumps(STATE)
    if "tofu" in Path(terraform_environment["TERRAFORM_BIN"]).name:
        state = state.replace("registry.terraform.io", "registry.opentofu.org")
    (directory / "terraform.tfstate").write_text(state)
    terraform = Terraform(directory, terraform_environment | tools.choose(directory))
    terraform.run("init", "-no-color")
    terraform.run("plan", "-refresh=false", "-out=the.plan", "-no-color")
    return terraform


def orchestrate(planned: Terraform, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    command = [sys.executable, "-P", "-m", "orchestrator", *words, "--json", "--chdir", str(planned.directory)]
    environment = {**os.environ, **planned.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=planned.directory)
    assert "Traceback" not in done.stderr
    assert "canary-4711-password" not in done.stdout + done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def of(events: list[dict[str, Any]], **wanted: str) -> list[dict[str, Any]]:
    return [one for one in events if all(one.get(key) == value for key, value in wanted.items())]


def test_an_unnamed_loss_is_refused(planned: Terraform) -> None:
    status, events, said = orchestrate(planned, "apply", "the.plan")
    assert status == 3, said
    (loss,) = of(events, effect="loss")
    assert (loss["loss"], loss["address"]) == ("bucket:onyx-files", "aws_s3_bucket.files")
    (refused,) = of(events, event="step-failed")
    assert refused["code"] == "data-loss"
    assert "--allow-loss bucket:onyx-files@" in refused["fix"]
    assert json.loads((planned.directory / "terraform.tfstate").read_text())["serial"] == 1


def test_a_named_loss_passes_and_the_checklist_stops_what_can_not_work(planned: Terraform) -> None:
    status, events, said = orchestrate(planned, "apply", "the.plan", "--allow-loss", "bucket:onyx-files")
    assert status == 3, said
    assert [one["code"] for one in of(events, event="step-failed")] == ["preflight-blocked"]
    (small,) = of(events, code="database-server-small")
    line = CONFIGURATION.splitlines().index('resource "aws_db_instance" "this" {') + 1
    assert (small["severity"], small["place"]) == ("blocker", f"main.tf:{line}")
    assert (small["current"], small["hcl"]) == ("db.t4g.micro", 'instance_class = "db.t4g.small"')
    assert of(events, event="step-started") == []
    assert json.loads((planned.directory / "terraform.tfstate").read_text())["serial"] == 1


def test_preflight_needs_no_contract(planned: Terraform) -> None:
    """What is there is no stack of ours yet: the plan is gone through all the same."""
    status, events, said = orchestrate(planned, "preflight", "the.plan")
    assert status == 3, said
    assert [one["severity"] for one in of(events, code="database-server-small")] == ["blocker"]


def test_preflight_reads_terraform_s_json_alone() -> None:
    document = ROOT / "tests" / "documents" / "guide.plan.json"
    command = [sys.executable, "-P", "-m", "orchestrator", "preflight", str(document), "--format", "markdown"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("### orchestrate preflight")
    assert "aws_db_instance.postgres.endpoint" in done.stdout
    assert "Canary-postgres-4711" not in done.stdout


@pytest.mark.parametrize("content", ["{", '{"version": 4}', "[1]"])
def test_what_is_no_json_of_terraform_s_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    command = [sys.executable, "-P", "-m", "orchestrator", "preflight", str(tmp_path / "plan.json"), "--json"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, cwd=tmp_path)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 2)
    assert [one["event"] for one in events if one["event"] == "step-failed"] == ["step-failed"]
