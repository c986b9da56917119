"""orchestrator.aws.ssm against the local cloud: a script's whole way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orchestrator.aws.ssm import ScriptFailed, Ssm
from orchestrator.errors import TimedOut, Transient

if TYPE_CHECKING:
    from tests.local.ssm.conftest import World


@pytest.fixture
def ssm(world: World) -> Ssm:
    return Ssm(world.ssm, sleep=time.sleep, monotonic=time.monotonic)


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
