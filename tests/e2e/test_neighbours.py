"""Every command on a stack that has others beside it in the account: of theirs, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.neighbours import OTHER, census, settle
from tests.e2e.stage import Stage, stage

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("neighbours"), tenants=("customer-a",)) as made:
        yield made


@pytest.fixture(scope="module")
def theirs(beside: Stage) -> Mapping[str, Any]:
    return settle(beside)


def test_no_command_changes_anything_of_a_neighbours(beside: Stage, theirs: Mapping[str, Any]) -> None:
    """A run, a repair, two backups of which one is pruned, a pause and a resume: each changes what is ours."""
    before = census(beside, theirs)
    assert beside.direct().succeeded().last["changed"] > 0
    database = beside.contract["tenants"]["customer-a"]["database"]
    with beside.admin() as admin:
        admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())
    beside.command("doctor", "--fix", "--auto-approve", "--json", "--database-transport", "direct")
    assert database in beside.databases()
    for _ in range(2):
        beside.command("backup", "--json", "--database-transport", "direct").succeeded()
    assert beside.command("backup", "--prune", "1", "--json", "--auto-approve").succeeded().last["changed"] > 0
    assert beside.command("pause", "--json", "--auto-approve").succeeded().last["changed"] > 0
    assert beside.command("resume", "--json").succeeded().last["changed"] > 0
    assert census(beside, theirs) == before


def test_a_bucket_of_another_use_is_not_made_the_backups(beside: Stage, theirs: Mapping[str, Any]) -> None:
    """To take it, its tags would be replaced and its visitors kept out."""
    before = census(beside, theirs)
    ended = beside.command("backup", "--json", "--backup-bucket", f"{OTHER}-files", "--database-transport", "direct")
    assert (ended.status, ended.codes) == (3, {"backup-bucket-unprotected"})
    assert census(beside, theirs) == before
