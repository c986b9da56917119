"""The wait on a real local cloud: what must never end in 0, and what must."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stage import COMMAND_SECONDS, Ended, Stage, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

ONE = "customer-a"
SPEED = 60.0
"""Slow enough that something can happen while the command waits."""


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("wait")
    with stage(folder, speed=SPEED, tenants=(ONE,)) as made:
        yield made


@pytest.fixture(scope="module")
def up(slow: Stage) -> Stage:
    slow.direct().succeeded()
    return slow


def wait(made: Stage, *more: str) -> Ended:
    return made.run("--only", "services", *more)


def update(made: Stage, **changes: Any) -> str:
    """UpdateService; the id of the deployment that is PRIMARY by that."""
    name = made.contract["tenants"][ONE]["service"]
    ecs = made.aws.client("ecs")
    answer = ecs.update_service(cluster=made.contract["cluster"], service=name, **changes)["service"]
    return next(str(one["id"]) for one in answer["deployments"] if one["status"] == "PRIMARY")


def while_waiting(made: Stage, act: Callable[[], Any], *arguments: str) -> Ended:
    """A run during which `act` happens, once the `services` step waits."""
    made.work.mkdir(exist_ok=True)
    contract = made.folder / "contract.json"
    contract.write_text(json.dumps(made.contract))
    flags = ("--contract", str(contract), "--poll", "0.5", "--database-transport", "direct", "--json", *arguments)
    command = [sys.executable, "-P", "-m", "orchestrator", "run", *flags]
    process = subprocess.Popen(
        command, env=made.environment(), cwd=made.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            event = json.loads(line)
            if (event["event"], event.get("step")) == ("step-waiting", "services"):
                act()
                break
        rest, errors = process.communicate(timeout=COMMAND_SECONDS)
    return Ended(process.returncode, "".join(lines) + rest, errors)


def held_up(made: Stage) -> str:
    """A redeploy that doesn't come to its end before `go_on`, however late the command begins; its id."""
    made.fault("stuck-pending", ONE)
    return update(made, forceNewDeployment=True)


def go_on(made: Stage) -> None:
    made.cloud.ask("faults", "DELETE", name="stuck-pending", tenant=ONE)


def test_cold_while_the_old_task_crash_loops(slow: Stage) -> None:
    """No database yet: counts go up and down, the targets never get healthy, and the cause is named."""
    ended = wait(slow)
    assert ended.status == 1
    assert ended.failures == [("services", ONE, "database-login-denied")], ended.stdout


def test_a_forced_redeploy_is_waited_for_to_its_end(up: Stage) -> None:
    deployment = update(up, forceNewDeployment=True)
    wait(up).succeeded()
    service = up.service(ONE)
    assert [(one["id"], one["rolloutState"]) for one in service["deployments"]] == [(deployment, "COMPLETED")]


def test_a_database_lost_while_waiting_is_made_again(up: Stage) -> None:
    before = held_up(up)

    def lose() -> None:
        up.fault("missing-database", ONE)
        go_on(up)

    ended = while_waiting(up, lose).succeeded()
    up.clear_faults()
    healed = [one for one in ended.of("step-done", "services") if one["changed"] == 1]
    assert len(healed) == 1
    assert any("recreate database" in one["detail"] for one in ended.of("step-waiting", "services"))
    assert up.deployment(ONE) != before
    assert set(up.databases()) == {"onyx_customer_a"}


def test_superseded_by_another_caller(up: Stage) -> None:
    held_up(up)

    def supersede() -> None:
        update(up, forceNewDeployment=True)
        go_on(up)

    ended = while_waiting(up, supersede, "--only", "services")
    assert ended.failures == [("services", ONE, "superseded")]
    wait(up).succeeded()


def test_desired_zero(up: Stage) -> None:
    update(up, desiredCount=0)
    assert wait(up).failures == [("services", ONE, "desired-count-zero")]
    wait(up, "--allow-zero").succeeded()
    update(up, desiredCount=1)
    wait(up).succeeded()


def with_an_image_that_is_not_there(made: Stage) -> str:
    """The service's task definition with another api image; its ARN."""
    ecs = made.aws.client("ecs")
    now = ecs.describe_task_definition(taskDefinition=made.service(ONE)["taskDefinition"])["taskDefinition"]
    kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn")
    containers = now["containerDefinitions"]
    containers[0]["image"] = "onyxdotapp/onyx-backend:does-not-exist"
    made_one = ecs.register_task_definition(containerDefinitions=containers, **{key: now[key] for key in kept})
    return str(made_one["taskDefinition"]["taskDefinitionArn"])


def test_a_rollback_is_no_success(up: Stage) -> None:
    """The breaker goes back to the old task definition: everything is healthy again, and nothing was deployed."""
    rolls_back = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    before = up.deployment(ONE)
    update(up, deploymentConfiguration=rolls_back)
    broken = update(up, taskDefinition=with_an_image_that_is_not_there(up))
    ended = wait(up)
    assert ended.status == 1
    assert ended.codes <= {"rolled-back", "image-pull-failed"}
    until("the rollback is complete", lambda: up.deployment(ONE) not in (before, broken) and _is_steady(up))
    assert wait(up).failures == [("services", ONE, "rolled-back")], "a finished rollback is none either"
    update(up, forceNewDeployment=True)
    wait(up).succeeded()


def _is_steady(made: Stage) -> bool:
    service = made.service(ONE)
    return [one["rolloutState"] for one in service["deployments"]] == ["COMPLETED"]
