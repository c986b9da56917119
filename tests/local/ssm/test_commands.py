"""Run Command, seen through boto3: real bash, real exit codes, AWS's statuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from botocore.exceptions import ClientError

from orchestrator.local.core.cloud import Address
from orchestrator.local.ssm import instance
from orchestrator.local.ssm import moto as correction
from orchestrator.local.ssm.agent import interpreter

if TYPE_CHECKING:
    from tests.local.ssm.conftest import World


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_script_really_runs(world: World, runner: str) -> None:
    done = world.ran(runner, "echo to stdout\necho to stderr >&2\nprintf '%s' $((6 * 7))")
    assert (done["Status"], done["StatusDetails"], done["ResponseCode"]) == ("Success", "Success", 0)
    assert done["StandardOutputContent"] == "to stdout\n42"
    assert done["StandardErrorContent"] == "to stderr\n"
    assert done["ExecutionStartDateTime"] <= done["ExecutionEndDateTime"]
    assert done["PluginName"] == "aws:runShellScript"


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [("exit 3", 3), ("set -e\nfalse\necho never", 1), ("true\nno-such-program-here", 127), ("kill -TERM $$", 143)],
)
def test_a_script_that_fails_has_its_exit_code(world: World, runner: str, script: str, exit_code: int) -> None:
    done = world.ran(runner, script)
    assert (done["Status"], done["ResponseCode"]) == ("Failed", exit_code)
    assert done["StandardErrorContent"].endswith(f"failed to run commands: exit status {exit_code}")
    assert "never" not in done["StandardOutputContent"]


def test_success_is_the_exit_code_of_the_last_command_only(world: World, runner: str) -> None:
    assert world.ran(runner, "false\ntrue")["Status"] == "Success"


def test_output_is_empty_until_the_end(world: World, runner: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    command = world.send(runner, f"echo early; until test -e {gate}; do sleep 0.01; done; echo late")
    world.until(lambda: world.invocation(command)["Status"] == "InProgress")
    running = world.shown(command)
    assert (running["Status"], running["StandardOutputContent"], running["ResponseCode"]) == ("InProgress", "", -1)
    gate.touch()
    assert world.finished(command)["StandardOutputContent"] == "early\nlate\n"


def test_output_is_cut(world: World, runner: str) -> None:
    done = world.ran(runner, "head -c 50000 /dev/zero | tr '\\0' x; head -c 50000 /dev/zero | tr '\\0' y >&2")
    assert done["StandardOutputContent"] == "x" * 24_000
    assert done["StandardErrorContent"] == "y" * 8_000
    assert done["Status"] == "Success"


def test_a_command_is_not_visible_right_after_it_was_sent(
    world: World, runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correction, "CONSISTENT_AFTER", 1e6)
    command = world.send(runner, "true")
    with pytest.raises(ClientError) as error:
        world.ssm.get_command_invocation(CommandId=command, InstanceId=runner)
    assert code(error) == "InvocationDoesNotExist"


def test_execution_timeout_kills_the_whole_group(world: World, runner: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 1000 & echo $! > {pids}; echo $$ >> {pids}; echo begun; trap '' TERM; sleep 1000"
    done = world.ran(runner, script, executionTimeout="1")
    assert (done["Status"], done["StatusDetails"], done["ResponseCode"]) == ("TimedOut", "ExecutionTimedOut", 137)
    assert done["StandardOutputContent"] == "begun\n"
    for pid in map(int, pids.read_text().split()):
        world.until(lambda pid=pid: not alive(pid))  # type: ignore[misc]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_cancel_kills_it(world: World, runner: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = world.send(runner, f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 1000")
    world.until(pid.exists)
    world.ssm.cancel_command(CommandId=command)
    done = world.finished(command)
    assert done["Status"] == "Cancelled"
    assert not alive(int(pid.read_text()))


def test_nothing_runs_after_stop(world: World, runner: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = world.send(runner, f"sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")
    world.until(pid.exists)
    world.stop_agents()
    world.until(lambda: not alive(int(pid.read_text())))
    assert world.invocation(command)["Status"] == "Cancelled"
    world.restart_agents()


def test_commands_run_at_the_same_time(world: World, runner: str, tmp_path: Path) -> None:
    meeting = "touch {dir}/{me}; until test -e {dir}/{other}; do sleep 0.01; done; echo met"
    scripts = [meeting.format(dir=tmp_path, me=me, other=other) for me, other in (("a", "b"), ("b", "a"))]
    commands = [world.send(runner, script) for script in scripts]
    assert [world.finished(command)["StandardOutputContent"] for command in commands] == ["met\n", "met\n"]


def test_parameters_can_be_read_by_anyone_who_may_list(world: World, runner: str) -> None:
    command = world.send(runner, "echo hunter2")
    listed = world.ssm.list_commands(CommandId=command)["Commands"]
    assert listed[0]["Parameters"]["commands"] == ["echo hunter2"]
    assert world.ssm.list_commands(InstanceId="i-0123456789abcdef0")["Commands"] == []
    world.finished(command)
    failed = world.ssm.list_commands(Filters=[{"key": "Status", "value": "Failed"}])["Commands"]
    assert command not in [one["CommandId"] for one in failed]
    newest, *_ = world.ssm.list_commands(InstanceId=runner)["Commands"]
    assert newest["CommandId"] == command


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"DocumentName": "AWS-RunPowerShellScript", "Parameters": {"commands": ["dir"]}}, "InvalidDocument"),
        ({"DocumentName": "AWS-RunShellScript", "Parameters": {}}, "InvalidParameters"),
        ({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["a"], "user": ["b"]}}, "InvalidParameters"),
        (
            {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["a"], "executionTimeout": ["0"]}},
            "InvalidParameters",
        ),
    ],
)
def test_what_aws_refuses_is_refused(world: World, runner: str, call: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as error:
        world.ssm.send_command(InstanceIds=[runner], **call)
    assert code(error) == expected


def test_targets_by_tag(world: World, runner: str) -> None:
    sent = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
    answer = world.ssm.send_command(Targets=[{"Key": "tag:Name", "Values": ["onyx-prod-vespa"]}], **sent)
    assert world.finished(answer["Command"]["CommandId"])["InstanceId"] == runner
    none = world.ssm.send_command(Targets=[{"Key": "tag:Name", "Values": ["other"]}], **sent)["Command"]
    assert none["TargetCount"] == 0


def test_a_session_with_nobody_is_refused_as_not_connected(world: World) -> None:
    with pytest.raises(ClientError) as error:
        world.ssm.start_session(Target="i-0123456789abcdef0")
    assert code(error) == "TargetNotConnected"


def test_the_environment_is_the_instance_s_own(world: World, runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_SECRET", "hunter2")
    seen = dict(line.split("=", 1) for line in world.ran(runner, "env")["StandardOutputContent"].splitlines())
    assert "CANARY_SECRET" not in seen
    assert seen["AWS_ENDPOINT_URL"] == world.cloud.endpoint
    assert seen["AWS_REGION"] == "us-west-2"
    assert Path(seen["HOME"]).is_relative_to(instance.folder(world.cloud, runner))
    assert seen["PATH"].split(os.pathsep)[0] == str(world.cloud.bin)
    assert Path(seen["PGSSLROOTCERT"]).read_bytes() == world.cloud.ca.cert_pem.bytes()


def test_nothing_of_a_command_stays_on_disk(world: World, runner: str) -> None:
    world.ran(runner, "echo done; exit 1")
    assert list((instance.folder(world.cloud, runner) / "commands").iterdir()) == []


def test_a_working_directory_that_is_not_there_fails_the_command_only(world: World, runner: str) -> None:
    done = world.ran(runner, "true", workingDirectory="/no/such/place")
    assert (done["Status"], done["ResponseCode"]) == ("Failed", 1)
    assert world.ran(runner, "pwd", workingDirectory="/")["StandardOutputContent"] == "/\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo", ["bash"]),
        ("#!/bin/bash\necho", ["bash"]),
        ("#!/bin/sh -eu\necho", ["bash", "-eu"]),
        ("#!/usr/bin/env python3\nprint()", ["/usr/bin/env", "python3"]),
    ],
)
def test_the_interpreter_of_a_script(script: str, expected: list[str]) -> None:
    assert interpreter(script) == expected


def test_an_address_published_while_a_script_waits_is_seen(world: World, runner: str) -> None:
    name = "late.us-west-2.rds.amazonaws.com"
    script = f"until psql -h {name} -U u -d d -c '' 2>&1 | grep -q 'Connection refused'; do sleep 0.1; done"
    command = world.send(runner, script, executionTimeout="60")
    world.until(lambda: world.invocation(command)["Status"] == "InProgress")
    world.cloud.addresses.publish(name, Address("127.0.0.1", 1))
    try:
        assert world.finished(command)["Status"] == "Success"
    finally:
        world.cloud.addresses.withdraw(name)
