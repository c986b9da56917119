from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, stage


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stack of the file's own as Terraform leaves it: no tenant database, no DNS record, no Redis token."""
    folder: Path = tmp_path_factory.mktemp("e2e")
    with stage(folder) as made:
        yield made


@pytest.fixture(scope="module")
def alive(cold: Stage) -> Stage:
    """The same stack, brought to life once for all tests of the file."""
    cold.direct().succeeded()
    return cold


@pytest.fixture(scope="module")
def well(alive: Stage) -> Stage:
    """As after terraform apply, which waits for the certificate, and a run."""
    alive.command("certificate", "--json").succeeded()
    return alive


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves its faults to the next one."""
    yield
    if {"cold", "alive", "well"} & set(request.fixturenames):
        request.getfixturevalue("cold").clear_faults()
