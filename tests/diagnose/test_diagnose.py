"""A few of the trials of `make diagnose`, each of another kind; the whole of it takes minutes and is for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from tests.diagnose.patient import Patient
from tests.diagnose.trials import calm, pair, single

pytestmark = pytest.mark.cloud
SPEED = 100.0


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """In the settings that `orchestrate local env` would make; they are gone afterwards."""
    with mock.patch.dict(os.environ):
        admitted = Patient.admit(tmp_path_factory.mktemp("diagnose") / "cloud", SPEED)
        try:
            assert admitted.heal(), admitted.examine().findings
            yield admitted
        finally:
            admitted.discharge()


@pytest.mark.parametrize("name", ["redis-wrong-password", "database-busy", "no-capacity", "dockerd-off"])
def test_the_cause_comes_first(patient: Patient, name: str) -> None:
    """A task's last words; a metric; an event of the service; a look from inside."""
    result = single(patient, name)
    # How soon the wait gives up is measured by `make diagnose` on a calm machine: here others have the processor too.
    assert result.why == "" or result.why.startswith("the wait took"), result


def test_two_causes_at_once(patient: Patient) -> None:
    """Both change the same task definition, and each is undone by itself."""
    result = pair(patient, (("redis-without-tls", "customer-b"), ("bucket-elsewhere", "customer-b")))
    assert result.right, result


def test_a_paused_stack_is_well(patient: Patient) -> None:
    result = calm(patient, "paused on purpose")
    assert result.right, result
