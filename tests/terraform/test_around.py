"""Terraform as people have set it up: state in S3, partial backends, workspaces, variables from anywhere, Terragrunt.

The real terraform, on its built-in `terraform_data`; the state is in the S3 of a local cloud.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local.core import api
from orchestrator.local.endpoint import client
from tests.terraform.offline import program_of
from tests.waiting import until

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]

BUCKET = "states"
S3 = 'terraform {\n  backend "s3" {\n    use_path_style = true\n    use_lockfile = true\n  }\n}\n'
"""A partial configuration: where the state is comes from outside."""
IN_DYNAMODB = S3.replace("use_lockfile = true", f'dynamodb_table = "{BUCKET}"')
"""Terraform's older way to lock."""
PLACE = f"-backend-config=bucket={BUCKET} -backend-config=region=us-west-2 -backend-config=key=%s/terraform.tfstate"
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "for i in $(seq 600); do test -f go && exit; sleep 0.1; done; exit 1"
  }
}
"""
"""Applied when the file `go` is there."""
STACK = """
variable "customer" {
  type    = string
  default = "default"
}

output "orchestrator" {
  value = {
    schema        = 1
    stack         = "onyx-${terraform.workspace}-${var.customer}"
    account_id    = "123456789012"
    region        = "us-west-2"
    cluster       = "c"
    database      = { instance = "db", host = "db.example.com", admin_user = "root", admin_secret_arn = null }
    runner        = null
    load_balancer = {
      arn      = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/x/1"
      dns_name = "x.example.com"
      zone_id  = "Z"
    }
    tenants = {
      a = {
        database         = "a"
        role             = "root"
        secret_arn       = null
        service          = "a"
        hostname         = "a.example.com"
        target_group_arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1"
        log_group        = null
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("around")
    running = client.up("around", folder, speed=300)
    try:
        environment = terraform_environment | client.ask(running, "env")
        where = {"LocationConstraint": environment["AWS_REGION"]}
        api.client(environment, "s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield environment
    finally:
        client.down(folder)


@dataclass(frozen=True)
class Place:
    directory: Path
    environment: Mapping[str, str]

    def told(self, **more: str) -> Place:
        """The same with other variables."""
        return Place(self.directory, {**self.environment, **more})

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        where = cwd or self.directory
        return subprocess.run(
            command, cwd=where, env=dict(self.environment), capture_output=True, text=True, check=False
        )

    def terraform(self, *arguments: str) -> None:
        done = self.run(self.environment["TERRAFORM_BIN"], *arguments)
        assert done.returncode == 0, done

    def orchestrate(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-P", "-m", "orchestrator", *arguments, cwd=cwd)

    def contract(self, *arguments: str, cwd: Path | None = None) -> Any:
        done = self.orchestrate("contract", "--json", *arguments, cwd=cwd)
        assert done.returncode == 0, done
        return json.loads(done.stdout)


on_each = pytest.mark.parametrize("place", ["1.11", "1.15"], indirect=True)
"""A test that runs on each Terraform."""


@pytest.fixture
def place(tmp_path: Path, cloud: dict[str, str], request: pytest.FixtureRequest) -> Place:
    line = getattr(request, "param", "")
    directory = tmp_path / "infrastructure live"
    directory.mkdir()
    (directory / "main.tf").write_text(S3 + STACK)
    key = re.sub(r"\W+", "-", request.node.name)
    program = {"TERRAFORM_BIN": program_of(line)} if line else {}
    return Place(directory, cloud | program | {"TF_CLI_ARGS_init": PLACE % key})


@on_each
def test_state_in_s3_by_a_partial_backend_and_workspaces(place: Place) -> None:
    """Initialised by us, with TF_CLI_ARGS_init; each workspace has a state of its own there, and its own contract."""
    assert place.orchestrate("plan", "--json").returncode == 6
    place.terraform("apply", "-auto-approve", "-no-color")
    place.terraform("workspace", "new", "staging")
    place.terraform("apply", "-auto-approve", "-no-color")
    assert not (place.directory / "terraform.tfstate").exists()
    assert place.contract()["stack"] == "onyx-staging-default"
    assert place.told(TF_WORKSPACE="default").contract()["stack"] == "onyx-default-default"
    elsewhere = place.directory.parent
    assert place.contract("--chdir", place.directory.name, cwd=elsewhere)["stack"] == "onyx-staging-default"


def test_a_state_that_is_locked_in_s3_by_another_run_of_ours(place: Place) -> None:
    """A contract is read without any lock: it may be looked at while somebody works."""
    place.terraform("init", "-no-color")
    place.terraform("apply", "-auto-approve", "-no-color")
    s3 = api.client(place.environment, "s3")
    (state,) = (it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if "locked" in it["Key"])
    s3.put_object(Bucket=BUCKET, Key=f"{state}.tflock", Body=b"{}")
    assert place.contract()["stack"] == "onyx-default-default"


@on_each
def test_a_state_in_s3_that_is_locked_in_dynamodb(place: Place) -> None:
    """Terraform's lock is an item in a table; ours is beside the state, as ever."""
    dynamodb = api.client(place.environment, "dynamodb")
    if BUCKET not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=BUCKET,
            KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    (place.directory / "main.tf").write_text(IN_DYNAMODB + STACK + SLOW)
    place.terraform("init", "-no-color")
    lock = json.loads(place.orchestrate("lock", "--json").stdout)["place"]
    state = lock.removesuffix(".orchestrate-lock").removeprefix("s3://")
    apply = [place.environment["TERRAFORM_BIN"], "apply", "-auto-approve", "-no-color"]
    with subprocess.Popen(apply, cwd=place.directory, env=dict(place.environment), stdout=subprocess.DEVNULL) as other:
        held = {"TableName": BUCKET, "Key": {"LockID": {"S": state}}}
        item = until("Terraform holds its lock", lambda: dynamodb.get_item(**held).get("Item"))
        refused = place.orchestrate("plan", "--json")
        (place.directory / "go").touch()
    assert other.returncode == 0
    assert refused.returncode == 5, refused
    failure = next(one for one in map(json.loads, refused.stdout.splitlines()) if one.get("code") == "state-locked")
    assert json.loads(item["Info"]["S"])["Who"] in failure["detail"]
    assert "Item" not in dynamodb.get_item(**held)
    assert place.contract()["stack"] == "onyx-default-default"


@pytest.mark.parametrize(
    ("file", "text"),
    [("terraform.tfvars", 'customer = "acme"\n'), ("x.auto.tfvars.json", '{"customer": "acme"}'), (None, None)],
)
def test_variables_from_files_and_environment(place: Place, file: str | None, text: str | None) -> None:
    more = {} if file else {"TF_VAR_customer": "acme"}
    if file and text:
        (place.directory / file).write_text(text)
    told = place.told(TF_DATA_DIR="elsewhere", **more)
    planned = told.orchestrate("plan", "--json")
    assert planned.returncode == 6, planned
    told.terraform("apply", "-auto-approve", "-no-color")
    assert told.contract()["stack"] == "onyx-default-acme"


@on_each
def test_a_directory_that_terragrunt_made(place: Place) -> None:
    """Terragrunt runs Terraform in a cache with a generated backend; its hook names that directory by --chdir."""
    cache = place.directory / ".terragrunt-cache" / "a1B2" / "c3D4"
    cache.mkdir(parents=True)
    (cache / "main.tf").write_text(STACK)
    (cache / "backend.tf").write_text(S3)
    terragrunt = Place(cache, place.told(TF_VAR_customer="from-inputs", TG_CTX_COMMAND="apply").environment)
    terragrunt.terraform("init", "-no-color")
    terragrunt.terraform("apply", "-auto-approve", "-no-color")
    relative = os.path.relpath(cache, place.directory)
    assert terragrunt.contract("--chdir", relative, cwd=place.directory)["stack"] == "onyx-default-from-inputs"
