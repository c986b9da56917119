"""What a migration's log adds, and which container migrates."""

from __future__ import annotations

import pytest

from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.lifecycle.schema_migrated import family_of, fresh, migrator_in


@pytest.mark.parametrize(
    ("lines", "told", "new"),
    [
        (("a", "b"), (), ("a", "b")),
        (("a", "b"), ("a",), ("b",)),
        (("a", "b"), ("a", "b"), ()),
        (("b", "c", "d"), ("a", "b", "c"), ("d",)),
        (("a", "a", "a"), ("a", "a"), ("a",)),
        (("x", "y"), ("a", "b"), ("x", "y")),
        ((), (), ()),
    ],
)
def test_a_line_is_told_once(lines: tuple[str, ...], told: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert tuple(fresh(lines, told)) == new


def test_the_api_migrates_and_what_has_its_image_is_held() -> None:
    backend, web = "onyxdotapp/onyx-backend:v2.0.0", "onyxdotapp/onyx-web-server:v2.0.0"
    containers = [("background", backend), ("my-api", backend), ("web", web)]
    made = TaskDefinition("td", containers=tuple(ContainerDefinition(*one) for one in containers))
    assert migrator_in(made) == ("my-api", ("background",))
    assert migrator_in(TaskDefinition("td", containers=(ContainerDefinition("web", web),))) == ("", ())


def test_a_revision_s_family() -> None:
    assert family_of("arn:aws:ecs:us-west-2:123456789012:task-definition/customer-a-prod:7") == "customer-a-prod"
