"""orchestrator.aws.ssm against the local cloud: a script's whole way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.ssm import ScriptFailed, Ssm
from orchestrator.errors import OrchestratorError, TimedOut, Transient
from orchestrator.local.ssm import moto_sessions

if TYPE_CHECKING:
    from tests.local.ssm.conftest import World


@pytest.fixture
def ssm(world: World) -> Ssm:
    return Ssm(world.ssm, sleep=time.sleep, monotonic=time.monotonic)


@pytest.fixture
def sessions(world: World) -> None:
    moto_sessions.install(world.cloud)


def test_ping(ssm: Ssm, world: World, runner: str) -> None:
    seen = ssm.ping(runner)
    assert seen.online
    assert seen.agent_version
    assert seen.last_ping is not None
    assert ssm.ping("i-0123456789abcdef0").status is None


def test_a_script_and_its_output(ssm: Ssm, runner: str) -> None:
    output = ssm.run(runner, "echo $BASH_VERSION; echo warned >&2", comment="test", timeout=60)
    assert (output.exit_code, output.status, output.stderr) == (0, "Success", "warned\n")
    assert output.stdout.strip()


@pytest.mark.parametrize("script", ["false\ntrue", "false | true", 'echo "$UNSET_VARIABLE"'])
def test_any_failing_command_fails_the_script(ssm: Ssm, runner: str, script: str) -> None:
    with pytest.raises(ScriptFailed):
        ssm.run(runner, script, comment="test", timeout=60)


def test_a_failed_script_says_why(ssm: Ssm, runner: str) -> None:
    with pytest.raises(ScriptFailed) as failed:
        ssm.run(runner, "printf 'it is\\nbroken' >&2; exit 9", comment="test", timeout=60)
    problem = failed.value.problems[0]
    assert problem.code == "script-failed"
    assert problem.message == "the script ended with exit status 9: it is\nbroken"
    assert failed.value.output.exit_code == 9


def test_a_script_that_takes_too_long(ssm: Ssm, runner: str) -> None:
    with pytest.raises(TimedOut) as late:
        ssm.run(runner, "sleep 1000", comment="test", timeout=1)
    assert late.value.problems[0].code == "script-timed-out"


def test_an_instance_that_does_not_answer(ssm: Ssm, world: World, runner: str) -> None:
    world.cloud.faults.switch_on("runner-offline")
    try:
        assert ssm.ping(runner).status == "ConnectionLost"
        with pytest.raises(Transient) as refused:
            ssm.run(runner, "true", comment="test", timeout=60)
    finally:
        world.cloud.faults.switch_off("runner-offline")
    assert refused.value.problems[0].code == "runner-not-registered"


@pytest.mark.usefixtures("sessions")
def test_a_session_of_an_instance_that_is_online(world: World, runner: str, ssm: Ssm) -> None:
    session = ssm.start_session(runner)
    assert session.keys() == {"SessionId", "TokenValue", "StreamUrl"}
    active = world.ssm.describe_sessions(State="Active")["Sessions"]
    assert [(one["SessionId"], one["Target"]) for one in active] == [(session["SessionId"], runner)]
    ssm.end_session(session["SessionId"])
    assert world.ssm.describe_sessions(State="Active")["Sessions"] == []
    assert world.ssm.describe_sessions(State="History")["Sessions"][0]["Status"] == "Terminated"


@pytest.mark.usefixtures("sessions")
def test_an_instance_that_is_not_online_has_no_session(ssm: Ssm) -> None:
    with pytest.raises(OrchestratorError, match="session-not-connected") as error:
        ssm.start_session("i-0123456789abcdef0")
    assert error.value.problems[0].fix


@pytest.mark.usefixtures("sessions")
def test_a_session_that_never_was(world: World, ssm: Ssm) -> None:
    ssm.end_session("local-nothing")
    with pytest.raises(ClientError, match="DoesNotExistException"):
        world.ssm.terminate_session(SessionId="local-nothing")
