"""The two commands of docs/how-to/from-one-stack-to-a-fleet.md, as they stand there, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.fleet.engine import FleetEngine
from orchestrator.local.core import api
from orchestrator.local.endpoint import client
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.cloud

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "from-one-stack-to-a-fleet.md"


def the_two_commands() -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").partition("## Try it on a laptop")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [shlex.split(line, comments=True) for line in block.splitlines()]


class Newcomer:
    """Somebody in an empty folder, without any settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.environment = {**inherited, "HOME": str(folder)}

    def types(self, words: list[str]) -> subprocess.Popen[str]:
        assert words[0] == "orchestrate"
        command = [sys.executable, "-P", "-m", "orchestrator", *words[1:]]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True)

    def does(self, line: str) -> tuple[int, str]:
        process = self.types(shlex.split(line))
        said, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, said


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    made = Newcomer(tmp_path)
    try:
        yield made
    finally:
        made.does("orchestrate local down --name fleet")


def test_two_commands_bring_three_stacks_to_life_also_when_the_second_one_is_killed(newcomer: Newcomer) -> None:
    first, second = the_two_commands()
    assert newcomer.types(first).wait(PATIENCE) == 0

    orders = (newcomer.folder / "local-fleet" / "fleet.env").read_text().strip().partition("=")[2]
    with closing(FleetEngine(orders)) as engine:
        assert engine.orders() == ()

    killed = newcomer.types(second)
    records = newcomer.folder / "local-fleet"
    until("a stack is under way", lambda: [*records.glob("stack-*/.orchestrate/runs/*.jsonl")])
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=PATIENCE)

    again = newcomer.types(second)
    said, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert "run: 3 stacks: 3 succeeded" in said

    status, report = newcomer.does("orchestrate fleet run --fleet local-fleet/fleet.toml --wave 1,rest --report json")
    results = {one["stack"]: one for one in map(json.loads, report.splitlines()) if one["event"] == "stack-finished"}
    assert status == 0, report
    assert [(name, one["outcome"], one["changed"]) for name, one in sorted(results.items())] == [
        (f"stack-{number}", "succeeded", 0) for number in (1, 2, 3)
    ]

    environment = client.ask(client.require(newcomer.folder / ".orchestrate" / "local" / "fleet"), "env")
    role = gives_two_stacks_as_states_in_s3(newcomer.folder / "local-fleet", environment)
    newcomer.environment |= environment
    status, report = newcomer.does("orchestrate fleet run --fleet local-fleet/fleet.toml --report json")
    results = {one["stack"]: one for one in map(json.loads, report.splitlines()) if one["event"] == "stack-finished"}
    assert [(name, one["outcome"], one["changed"]) for name, one in sorted(results.items())] == [
        ("stack-2", "succeeded", 0),
        ("states-stack-3", "succeeded", 0),
    ], report
    asks = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    status, said = newcomer.does(
        f'orchestrate fleet exec --fleet local-fleet/fleet.toml --stack stack-2 -- {sys.executable} -c "{asks}"'
    )
    assert status == 0, said
    assert f":assumed-role/{role}/" in said


def gives_two_stacks_as_states_in_s3(folder: Path, environment: Mapping[str, str]) -> str:
    """One by its URL and with a role, whose name this gives; the other one is found there."""
    session, endpoint = api.session(environment), environment["AWS_ENDPOINT_URL"]
    s3, iam = (api.client_of(session, endpoint, name) for name in ("s3", "iam"))
    place = {"LocationConstraint": session.region_name}
    s3.create_bucket(Bucket="fleet-states", CreateBucketConfiguration=place)
    for number in (2, 3):
        contract = json.loads((folder / f"stack-{number}" / "contract.json").read_text())
        outputs = {"orchestrator": {"value": contract, "type": "dynamic"}}
        kept = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": outputs}
        key = f"states/stack-{number}/terraform.tfstate"
        s3.put_object(Bucket="fleet-states", Key=key, Body=json.dumps(kept))
    account = api.client_of(session, endpoint, "sts").get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="of-stack-2", AssumeRolePolicyDocument=document)["Role"]
    state = "s3://fleet-states/states/stack-2/terraform.tfstate"
    (folder / "fleet.toml").write_text(
        f'discover = ["s3://fleet-states/"]\n[stacks.stack-2]\ncontract = "{state}"\nrole = "{role["Arn"]}"\n'
    )
    return str(role["RoleName"])
