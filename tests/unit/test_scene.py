"""Each part of the stack is read once, however many checks ask at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.scene import Scene, arn_of, key_of, once

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:onyx-prod/tenant-AbCdEf"


class Counted(Scene):
    """One reading that counts itself."""

    def __init__(self, *outcomes: Any) -> None:
        nothing: Any = None
        super().__init__(nothing, nothing, datetime.now(UTC))
        self.outcomes = list(outcomes)
        self.reads = 0

    @once
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
