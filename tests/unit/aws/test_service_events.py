"""What ECS says of a service, by AWS's own texts (the developer guide's chapter "Service event messages")."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.service_events import EventKind, ServiceEvent

AT = datetime(2026, 1, 1, tzinfo=UTC)
FULL = "Capacity is unavailable at this time. Please try in a different availability zone or region."


@pytest.mark.parametrize(
    ("text", "kind", "count", "deployment"),
    [
        ("has started 2 tasks: (task a) (task b).", EventKind.STARTED, 2, ""),
        (
            "has started 1 tasks: (task a). Amazon ECS replaced 1 tasks due to an unhealthy status.",
            EventKind.STARTED,
            1,
            "",
        ),
        ("has started 1 tasks in us-west-2a to AZ Rebalance: (task a).", EventKind.STARTED, 1, ""),
        ("has stopped 3 running tasks: (task a) (task b) (task c).", EventKind.STOPPED, 3, ""),
        ("has stopped 1 running tasks in us-west-2a due to AZ rebalancing: (task a).", EventKind.STOPPED, 1, ""),
        ("registered 12 targets in (target-group tg)", EventKind.REGISTERED, 12, ""),
        ("deregistered 12 targets in (target-group tg)", EventKind.OTHER, 0, ""),
        ("has begun draining connections on 1 tasks.", EventKind.DRAINING, 0, ""),
        ("has reached a steady state.", EventKind.STEADY, 0, ""),
        ("(port 80) is unhealthy in (target-group tg) due to (reason Request timed out)", EventKind.UNHEALTHY, 0, ""),
        ("(instance i-1) is unhealthy in (elb lb) due to (reason it failed its checks)", EventKind.UNHEALTHY, 0, ""),
        (
            "was unable to place a task because no container instance met all its requirements.",
            EventKind.UNPLACED,
            0,
            "",
        ),
        (f"was unable to place a task. Reason: {FULL}", EventKind.UNPLACED, 0, ""),
        ("is unable to consistently start tasks successfully.", EventKind.UNABLE, 0, ""),
        ("was unable to reach steady state because taskset (t) was unable to scale in.", EventKind.UNABLE, 0, ""),
        ("failed to launch a task with (error ECS was unable to assume the role 'r')", EventKind.UNABLE, 0, ""),
        (
            "(deployment ecs-svc/2) deployment failed: tasks failed to start.",
            EventKind.DEPLOYMENT_FAILED,
            0,
            "ecs-svc/2",
        ),
        ("deployment failed: tasks failed to start.", EventKind.DEPLOYMENT_FAILED, 0, ""),
        ("rolling back to (deployment ecs-svc/1).", EventKind.ROLLING_BACK, 0, "ecs-svc/1"),
        ("(deployment ecs-svc/2) deployment completed.", EventKind.OTHER, 0, "ecs-svc/2"),
        ("operations are being throttled. Will try again later.", EventKind.OTHER, 0, ""),
        ("", EventKind.OTHER, 0, ""),
    ],
)
def test_a_text_has_one_kind(text: str, kind: EventKind, count: int, deployment: str) -> None:
    found = ServiceEvent(AT, f"(service s) {text}")
    assert (found.kind, found.count, found.deployment) == (kind, count, deployment)


@given(st.text())
def test_a_text_that_is_not_known_does_no_harm(text: str) -> None:
    assert ServiceEvent(AT, text).count >= 0


def test_what_was_read_of_a_text_stays() -> None:
    event = ServiceEvent(AT, "(service s) has reached a steady state.")
    with pytest.raises(FrozenInstanceError):
        event.kind = EventKind.OTHER  # type: ignore[misc]
