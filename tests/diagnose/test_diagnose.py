"""A few of the trials of `make diagnose`, each of another kind; the whole of it takes minutes and is for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from tests.diagnose.example_stack import ExampleStack
from tests.diagnose.trials import calm, pair, single

pytestmark = pytest.mark.cloud
SPEED = 100.0


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleStack]:
    """In the settings that `orchestrate local env` would make; they are gone afterwards."""
    with mock.patch.dict(os.environ):
        example = ExampleStack.create(tmp_path_factory.mktemp("diagnose") / "cloud", SPEED)
        try:
            assert example.repair(), example.examine().findings
            yield example
        finally:
            example.delete()


@pytest.mark.parametrize("name", ["redis-wrong-password", "database-busy", "no-capacity", "dockerd-off"])
def test_the_cause_comes_first(example: ExampleStack, name: str) -> None:
    """A task's last words; a metric; an event of the service; a look from inside."""
    result = single(example, name)
    # How soon the wait gives up is measured by `make diagnose` on a calm machine: here others have the processor too.
    assert result.why == "" or result.why.startswith("the wait took"), result


def test_two_causes_at_once(example: ExampleStack) -> None:
    """Both change the same task definition, and each is undone by itself."""
    result = pair(example, (("redis-without-tls", "customer-b"), ("bucket-elsewhere", "customer-b")))
    assert result.right, result


def test_a_paused_stack_is_well(example: ExampleStack) -> None:
    result = calm(example, "paused on purpose")
    assert result.right, result
