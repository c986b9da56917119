"""The health checks of containers, without a container."""

from __future__ import annotations

import pytest

from orchestrator.local.ecs.container_health import ContainerCheck, checks_of, of_task, passes


def answer(port: int, path: str) -> int | None:
    return {(8080, "/health"): 200, (80, "/"): 404}.get((port, path))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("CMD-SHELL curl -f http://localhost:8080/health || exit 1", True),
        ("CMD wget -q http://127.0.0.1:8080/health", True),
        ("CMD-SHELL curl -f http://localhost:8081/health || exit 1", False),
        ("CMD-SHELL curl -f http://localhost || exit 1", False),
        ("CMD-SHELL exit 1", False),
        ("CMD /bin/false", False),
        ("CMD-SHELL pg_isready || exit 1", True),
    ],
)
def test_a_command_that_asks_the_task_hears_what_it_says(command: str, *, expected: bool) -> None:
    assert passes(command, answer) is expected


def check(command: str = "CMD-SHELL exit 1", **more: object) -> ContainerCheck:
    given = {"command": command.split(), "interval": 10, "retries": 2, **more}
    return checks_of([{"name": "api", "healthCheck": given}, {"name": "web"}])[0]


def test_it_is_unknown_until_it_passed_and_unhealthy_after_as_many_failures() -> None:
    one = check()
    states = []
    for second in range(0, 31, 5):
        one.look(float(second), answer)
        states.append(one.state)
    assert states == ["UNKNOWN"] * 4 + ["UNHEALTHY"] * 3


def test_failures_of_the_start_period_don_t_count() -> None:
    one = check(startPeriod=25)
    for second in (10.0, 20.0):
        one.look(second, answer)
    assert (one.state, one.failures) == ("UNKNOWN", 0)


def test_one_success_makes_it_healthy_again() -> None:
    one = check("CMD-SHELL curl -f http://localhost:8080/health || exit 1")
    one.failures, one.state = 2, "UNHEALTHY"
    one.look(10.0, answer)
    assert (one.state, one.failures) == ("HEALTHY", 0)


def test_a_task_is_what_its_essential_containers_are() -> None:
    good, bad, beside = check(), check(), check()
    good.state, bad.state, beside.state, beside.essential = "HEALTHY", "UNHEALTHY", "UNHEALTHY", False
    assert of_task([]) == "UNKNOWN"
    assert of_task([good, beside]) == "HEALTHY"
    assert of_task([good, bad]) == "UNHEALTHY"
    assert of_task([beside]) == "UNKNOWN"
    assert of_task([good, check()]) == "UNKNOWN"
