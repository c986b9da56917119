from __future__ import annotations

import base64
import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT, Terraform

HOOKS = ROOT / "hooks"


@pytest.mark.parametrize("name", ["main.tf", "variables.tf", "outputs.tf"])
def test_the_two_modules_differ_in_nothing_but_the_resource_type(name: str) -> None:
    built_in = (HOOKS / "terraform_data" / name).read_text()
    null = (HOOKS / "null_resource" / name).read_text()
    assert null == built_in.replace("triggers_replace", "triggers").replace("terraform_data", "null_resource")


def test_each_module_is_of_its_own_type() -> None:
    for kind in ("terraform_data", "null_resource"):
        assert f'resource "{kind}" "orchestrate"' in (HOOKS / kind / "main.tf").read_text()
    assert "hashicorp/null" in (HOOKS / "null_resource" / "versions.tf").read_text()
    assert "required_providers" not in (HOOKS / "terraform_data" / "versions.tf").read_text()


ORCHESTRATE = """#!/bin/sh
number=$(ls "$RECORD" | wc -l | tr -d ' ')
printf '%s\\n' "$@" "$EXTRA" "$ORCHESTRATE_CONTRACT" > "$RECORD/$number"
echo "the sites answer"
[ ! -e "$RECORD/../fail" ]
"""

CONFIGURATION = """
variable "balancer" {
  default = "onyx-prod-alb-1.us-west-2.elb.amazonaws.com"
}

variable "bucket" {
  default = "files"
}

module "orchestrate" {
  source    = "./terraform_data"
  command   = "./orchestrate"
  arguments = ["--tenant", "it's one; argument $HOME"]
  environment = {
    EXTRA  = "more"
    RECORD = "./runs"
  }
  contract = {
    schema        = 1
    stack         = "onyx-prod"
    bucket        = var.bucket
    load_balancer = { dns_name = var.balancer }
    database      = { instance = "onyx-prod-postgres", host = "onyx-prod-postgres.x.us-west-2.rds.amazonaws.com" }
    tenants = { for number in range(400) : "tenant-${number}" => {
      hostname         = "tenant-${number}.example.com"
      secret_arn       = "arn:aws:secretsmanager:us-west-2:123456789012:secret:onyx-prod/tenant-${number}"
      target_group_arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/tenant-${number}/0"
      log_group        = "/ecs/tenant-${number}"
      database         = "onyx_tenant_${number}"
    } }
  }
}
"""


@pytest.fixture
def hooked(tmp_path: Path, terraform_environment: dict[str, str]) -> Terraform:
    shutil.copytree(HOOKS / "terraform_data", tmp_path / "terraform_data")
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    (tmp_path / "orchestrate").write_text(ORCHESTRATE)
    (tmp_path / "orchestrate").chmod(0o755)
    (tmp_path / "runs").mkdir()
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.run("init", "-no-color")
    return terraform


def apply(terraform: Terraform, *arguments: str, ok: bool = True) -> str:
    done = terraform.run("apply", "-auto-approve", "-no-color", *arguments, ok=ok)
    return done.stdout + done.stderr


def runs(terraform: Terraform) -> int:
    return len(list((terraform.directory / "runs").iterdir()))


@pytest.mark.terraform
def test_the_run_gets_the_contract_its_arguments_and_its_environment(hooked: Terraform) -> None:
    said = apply(hooked)

    *arguments, extra, contract = (hooked.directory / "runs" / "0").read_text().splitlines()
    assert arguments == ["run", "--tenant", "it's one; argument $HOME"]
    assert extra == "more"
    assert len(contract) < 128 * 1024  # what one environment variable holds; 400 tenants of plain JSON do not fit
    given = json.loads(gzip.decompress(base64.b64decode(contract)))
    assert given["stack"] == "onyx-prod"
    assert len(given["tenants"]) == 400
    assert "the sites answer" in said  # nothing in it is sensitive, so its progress is seen


@pytest.mark.terraform
def test_it_runs_again_for_its_reasons_and_for_nothing_else(hooked: Terraform) -> None:
    apply(hooked)
    apply(hooked)
    assert runs(hooked) == 1
    apply(hooked, "-var", "bucket=other")
    assert runs(hooked) == 1
    apply(hooked, "-var", "bucket=other", "-var", "balancer=onyx-prod-alb-2.us-west-2.elb.amazonaws.com")
    assert runs(hooked) == 2
    hooked.run("destroy", "-auto-approve", "-no-color")
    assert runs(hooked) == 2


@pytest.mark.terraform
def test_a_run_that_failed_fails_the_apply_and_runs_again(hooked: Terraform) -> None:
    (hooked.directory / "fail").touch()
    assert "exit status 1" in apply(hooked, ok=False)
    (hooked.directory / "fail").unlink()
    apply(hooked)
    assert runs(hooked) == 2
