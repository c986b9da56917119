"""`plan --import-blocks`: what is written for review, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.terraform.import_blocks import HEAD, PASSING, PASSING_NAME, text_of
from orchestrator.terraform.leftovers import Adopt, Leave, LeftoverAction
from orchestrator.workflows import import_blocks
from orchestrator.workflows.import_file import passing
from tests.unit.workflows.test_leftovers import Looks, execution

VPC = Adopt('module.network["${a}"].aws_vpc.this', "vpc-1", "it exists")
SUBNET = Adopt("aws_subnet.this[0]", 'subnet-"${x}"', "it exists")
SEEN = Leave("aws_s3_bucket.this", "it exists", "choose another name")


def test_a_block_for_each_as_terraform_writes_it() -> None:
    assert text_of([SUBNET]) == (
        f'{HEAD}\n# it exists\nimport {{\n  to = aws_subnet.this[0]\n  id = "subnet-\\"$${{x}}\\""\n}}\n'
    )


def planned_with(folder: Path, name: str, *looks: Sequence[LeftoverAction]) -> tuple[Any, int]:
    """What was said, and how often it was planned."""
    us: Any = execution()
    found, count = Looks(*looks), 0

    @contextmanager
    def planned(*_: Any) -> Iterator[str]:
        nonlocal count
        count += 1
        yield "a plan"

    class Here:
        directory = folder

    terraform: Any = Here()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_blocks, "planned", planned)
        patch.setattr(import_blocks, "leftovers_of", lambda *_: found)
        with import_blocks.with_import_blocks(us, terraform, us, name) as made:
            plan: Any = made
            assert plan == "a plan"
    return us.said, count


def test_it_plans_again_as_long_as_more_is_found(tmp_path: Path) -> None:
    said, count = planned_with(tmp_path, "imports.tf", [VPC], [SUBNET, SEEN], [SEEN])
    assert count == 3
    assert (tmp_path / "imports.tf").read_text() == text_of([VPC, SUBNET])
    assert [one.subject for one in said] == [VPC.address, SUBNET.address, SEEN.address]


def test_without_anything_to_import_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "imports.tf").write_text(text_of([VPC]))
    planned_with(tmp_path, "imports.tf", [])
    assert not (tmp_path / "imports.tf").exists(), "what an earlier plan wrote is out of date"


@pytest.mark.parametrize("name", ["imports.txt", "elsewhere/imports.tf", "../imports.tf", "main.tf"])
def test_a_file_that_terraform_would_not_read_or_that_is_somebodys_own_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.tf").write_text("# mine")
    with pytest.raises(Invalid) as caught:
        planned_with(tmp_path, name, [VPC])
    assert [problem.code for problem in caught.value.problems] == ["import-blocks-file"]
    assert (tmp_path / "main.tf").read_text() == "# mine"


def test_where_terraform_s_directory_is_not_there_to_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="can't be written here"):
        planned_with(tmp_path / "gone", "imports.tf", [VPC])


def test_blocks_that_pass_are_there_while_it_is_planned_and_what_a_killed_run_left_is_deleted(tmp_path: Path) -> None:
    file = tmp_path / PASSING_NAME
    with passing(tmp_path, [VPC]):
        assert file.read_text() == text_of([VPC], PASSING)
    assert not file.exists()
    file.write_text(text_of([SUBNET], PASSING))
    with passing(tmp_path, []):
        assert not file.exists()
    file.write_text("# mine")
    with pytest.raises(Invalid), passing(tmp_path, [VPC]):
        pytest.fail("it would be overwritten")
    assert file.read_text() == "# mine"
