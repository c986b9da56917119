"""Each part of the stack is read once, however many checks ask at the same time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.aws.ecs import Service
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.doctor.scene import Scene, arn_of, key_of, read_once
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.errors import OrchestratorError, Problem, Transient
from tests.unit.rollout.scripted_cluster import OOM, Clock, Cluster, Life, stack_of

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:onyx-prod/tenant-AbCdEf"


class Counted(Scene):
    """One reading that counts itself."""

    def __init__(self, *outcomes: Any) -> None:
        nothing: Any = None
        super().__init__(nothing, nothing, datetime.now(UTC))
        self.outcomes = list(outcomes)
        self.reads = 0

    @read_once
    def reading(self) -> str:
        self.reads += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)


def test_sixteen_that_ask_at_once_read_once() -> None:
    scene, together = Counted("seen"), threading.Barrier(16, timeout=30)

    def ask(_number: int) -> str:
        together.wait()
        return scene.reading()

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {"seen"}
    assert scene.reads == 1


def test_a_refusal_is_remembered_a_throttling_is_not() -> None:
    scene = Counted(Transient(Problem("throttled", "slow down")), OrchestratorError(Problem("access-denied", "no")))
    with pytest.raises(Transient):
        scene.reading()
    for _ in range(2):
        with pytest.raises(OrchestratorError, match="access-denied"):
            scene.reading()
    assert scene.reads == 2


@pytest.mark.parametrize(
    ("value_from", "key"), [(ARN, ""), (f"{ARN}:password::", "password"), (f"{ARN}:password:AWSCURRENT:", "password")]
)
def test_a_secret_s_arn_and_key(value_from: str, key: str) -> None:
    assert (arn_of(value_from), key_of(value_from)) == (ARN, key)


@dataclass
class Initial(Cluster):
    """By its counts steady, on a task whose target is still initial: as after it was scaled out and in again."""

    state: str = "COMPLETED"

    def _service(self, name: str) -> Service:
        one = super()._service(name)
        return replace(one, running=1, deployments=tuple(replace(d, rollout_state=self.state) for d in one.deployments))

    def health(self, target_group_arn: str) -> TargetHealth:
        return TargetHealth({"initial": 1})

    def failures(self) -> int:
        """Of the doctor's look."""
        readers: Any = SimpleNamespace(ecs=self, targets=self, logs=self, close_looks=CloseLooks())
        return len(Scene(self.stack, readers, self.clock.now()).rollouts()["a"].failures)


FAILED, GOOD = Life(1000, ended=1010, reason=OOM), Life(1012, 1015, 1030)
FAILED_AGAIN = Life(1012, 1015, 1030, ended=1050, reason=OOM)


@pytest.mark.parametrize(
    ("lives", "state", "failures"),
    [
        ((FAILED, GOOD), "COMPLETED", 0),
        ((FAILED, FAILED_AGAIN, Life(1052, 1055)), "COMPLETED", 2),
        ((FAILED, GOOD), "FAILED", 1),
    ],
)
def test_what_a_service_got_over_is_no_reason_for_what_it_is_now(
    lives: Sequence[Life], state: str, failures: int
) -> None:
    assert Initial(Clock(1110), stack_of("a"), {"a-service": list(lives)}, state=state).failures() == failures


@dataclass
class Partly(Cluster):
    """One tenant's target group may not be read, or is throttled for a while."""

    errors: list[OrchestratorError] = field(default_factory=list)

    def health(self, target_group_arn: str) -> TargetHealth:
        if "targetgroup/b/" in target_group_arn and self.errors:
            raise self.errors.pop(0)
        return super().health(target_group_arn)


@pytest.mark.parametrize(
    ("errors", "missed"),
    [
        ([OrchestratorError(Problem("access-denied", "no"))] * 9, ["access-denied"]),
        ([Transient(Problem("throttled", "slow down"))] * 9, ["throttled"]),
        ([Transient(Problem("throttled", "slow down"))] * 2, []),
    ],
)
def test_what_can_t_be_read_of_one_tenant_blinds_nobody_for_the_others(
    errors: list[OrchestratorError], missed: list[str]
) -> None:
    lives = {f"{name}-service": [GOOD] for name in "abc"}
    cluster = Partly(Clock(1110), stack_of("a", "b", "c"), lives, errors=list(errors))
    readers: Any = SimpleNamespace(ecs=cluster, targets=cluster, logs=cluster, close_looks=CloseLooks())
    scene = Scene(cluster.stack, readers, cluster.clock.now())
    seen = scene.rollouts()
    assert set(seen) == set("abc") - set("b" if missed else "")
    assert [(tenant, problem.code) for (_check, tenant), problem in scene.missed.items()] == [("b", c) for c in missed]
