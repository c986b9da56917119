"""Who signs: a session that ends in the middle, and a role with a device's code, through the real command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local.laws.identity import CODE
from tests.e2e.stage import COMMAND_SECONDS, Ended, Stage

pytestmark = pytest.mark.cloud

ACCOUNT = "123456789012"
OPS = f"arn:aws:iam::{ACCOUNT}:role/ops"
DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/me"
SOURCE = "[profile keys]\naws_access_key_id = local\naws_secret_access_key = local\n"
NO_KEYS: dict[str, Any] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def session(stage: Stage) -> dict[str, Any]:
    """The keys of a new session, as variables."""
    given = stage.aws.client("sts").assume_role(RoleArn=OPS, RoleSessionName="me")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def while_waiting(stage: Stage, act: Callable[[], Any], *more: str, **variables: str | None) -> Ended:
    """A run during which `act` happens, once the `services` step waits."""
    stage.work.mkdir(exist_ok=True)
    contract = stage.folder / "contract.json"
    contract.write_text(json.dumps(stage.contract))
    flags = ("--contract", str(contract), "--poll", "0.5", "--database-transport", "direct", "--json", *more)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", "run", *flags],
        env=stage.environment(**variables),
        cwd=stage.work,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    lines: list[str] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            event = json.loads(line)
            if (event["event"], event.get("step")) == ("step-waiting", "services"):
                act()
                break
        rest, errors = process.communicate(timeout=COMMAND_SECONDS)
    return Ended(process.returncode, "".join(lines) + rest, errors)


def test_keys_that_end_in_the_middle_end_the_run_and_the_same_command_goes_on(cold: Stage) -> None:
    cold.fault("stuck-pending")
    ended = while_waiting(cold, lambda: cold.fault("session-ended"), **session(cold))
    assert (ended.status, ended.last["outcome"]) == (7, "expired"), ended.stdout + ended.stderr
    assert ended.codes == {"credentials-expired"}
    (told,) = [one for one in ended.of("finding-reported") if one["code"] == "changed-before-expiry"]
    assert "tenant-databases" in told["detail"]
    assert ended.last["changed"] > 0
    before = cold.databases()
    late = cold.direct(**ended_session(cold))
    assert (late.status, late.codes, late.last["changed"]) == (2, {"credentials-expired"}, 0)
    cold.clear_faults()
    cold.direct(**session(cold)).succeeded()
    assert cold.databases() == before


def ended_session(stage: Stage) -> dict[str, Any]:
    """The keys of a session that is over."""
    keys = session(stage)
    stage.fault("session-ended")
    return keys


def test_a_run_that_waits_goes_on_when_somebody_signs_in(alive: Stage) -> None:
    file = alive.folder / "keys"

    def sign_in() -> None:
        lines = [f"{name.lower()} = {value}" for name, value in session(alive).items()]
        file.write_text("\n".join(["[corp]", *lines, ""]))

    def end_and_sign_in() -> None:
        alive.fault("session-ended")
        sign_in()
        alive.clear_faults()

    sign_in()
    alive.fault("stuck-pending")
    for tenant in alive.contract["tenants"].values():
        alive.aws.client("ecs").update_service(
            cluster=alive.contract["cluster"], service=tenant["service"], forceNewDeployment=True
        )
    profile = {"AWS_PROFILE": "corp", "AWS_SHARED_CREDENTIALS_FILE": str(file), **NO_KEYS}
    while_waiting(alive, end_and_sign_in, **profile).succeeded()


FAKE = """#!/bin/sh
case "$1" in
version) echo '{"terraform_version": "1.11.4"}' ;;
output) env | grep '^AWS_' > "$SEEN"; cat "$OUTPUTS" ;;
*) echo '{}' ;;
esac
"""


def at_a_terminal(stage: Stage, *arguments: str, **variables: str | None) -> tuple[int, str]:
    """The command with a terminal for its input, at which the code is typed whenever it is asked for."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", *arguments],
        env=stage.environment(**variables),
        cwd=stage.work,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = b""
    with process:
        assert process.stdout is not None
        while piece := os.read(process.stdout.fileno(), 4096):
            asked = said.count(b"Enter MFA code")
            said += piece
            if said.count(b"Enter MFA code") > asked:
                os.write(master, f"{CODE}\n".encode())
    os.close(slave)
    os.close(master)
    return process.returncode, said.decode()


def test_a_code_is_asked_for_once_for_a_whole_run_and_for_terraform_too(alive: Stage) -> None:
    home: Path = alive.folder
    config = home / "aws-config"
    role = f"role_arn = {OPS}\nmfa_serial = {DEVICE}\nsource_profile = keys\nregion = us-west-2\n"
    config.write_text(
        f"[profile ops]\n{role}[profile keys]\naws_access_key_id = local\naws_secret_access_key = local\n"
    )
    terraform, seen, outputs = home / "terraform", home / "seen", home / "outputs"
    terraform.write_text(FAKE)
    terraform.chmod(0o755)
    outputs.write_text(json.dumps({"orchestrator": {"value": alive.contract, "sensitive": False, "type": "dynamic"}}))
    variables = {
        "AWS_CONFIG_FILE": str(config),
        "TERRAFORM_BIN": str(terraform),
        "SEEN": str(seen),
        "OUTPUTS": str(outputs),
        **NO_KEYS,
    }
    flags = ("--profile", "ops", "--poll", "0.5", "--database-transport", "direct")
    status, said = at_a_terminal(alive, "run", *flags, **variables)
    assert status == 0, said
    assert said.count("Enter MFA code") == 1, said
    given = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert given["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert given["AWS_SESSION_TOKEN"]
    assert "AWS_PROFILE" not in given
    assert given["AWS_SESSION_TOKEN"] not in said
    # The AWS CLI's cache: the next command asks nobody, not even where nobody is there.
    again = alive.orchestrate("run", *flags, "--json", variables=variables)
    again.succeeded()


def test_without_a_terminal_the_code_is_missing_and_nothing_hangs(alive: Stage) -> None:
    config = alive.folder / "aws-config-2"
    role = f"role_arn = {OPS}x\nmfa_serial = {DEVICE}\nsource_profile = keys\nregion = us-west-2\n"
    config.write_text(
        f"[profile ops]\n{role}[profile keys]\naws_access_key_id = local\naws_secret_access_key = local\n"
    )
    ended = alive.run("--profile", "ops", AWS_CONFIG_FILE=str(config), **NO_KEYS)
    assert (ended.status, ended.codes) == (2, {"mfa-needs-terminal"})


def test_a_lock_in_a_bucket_of_ones_choice_excludes_another_machine(alive: Stage) -> None:
    alive.aws.client("s3").create_bucket(
        Bucket="our-locks", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    lock = ("--lock", "s3://our-locks/onyx/prod")
    met: list[Ended] = []

    def another() -> None:
        met.append(alive.direct("--chdir", str(elsewhere), *lock))
        alive.clear_faults()

    elsewhere = alive.folder / "elsewhere"
    elsewhere.mkdir()
    alive.fault("stuck-pending")
    for tenant in alive.contract["tenants"].values():
        alive.aws.client("ecs").update_service(
            cluster=alive.contract["cluster"], service=tenant["service"], forceNewDeployment=True
        )
    while_waiting(alive, another, *lock).succeeded()
    (second,) = met
    assert (second.status, second.codes, second.last["changed"]) == (5, {"locked"}, 0)
    assert alive.aws.client("s3").list_objects_v2(Bucket="our-locks")["KeyCount"] == 0
    shown = alive.orchestrate("unlock", *lock, "--json")
    assert (shown.status, json.loads(shown.stdout)["holder"]) == (0, "")
