"""What is told of AWS's partitions is what botocore knows, and no ARN of one is written down as everybody's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

import orchestrator
from orchestrator.aws.partitions import SUFFIXES, partition_in, partition_of
from orchestrator.dns.model import former_names

SOURCES = Path(orchestrator.__file__).parent
ROOT = SOURCES.parent


def partitions() -> list[dict[str, Any]]:
    said: dict[str, Any] = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    found: list[dict[str, Any]] = said["partitions"]
    return found


@pytest.mark.parametrize("partition", partitions(), ids=lambda one: str(one["id"]))
def test_every_region_is_in_its_partition(partition: dict[str, Any]) -> None:
    regions = [one for one in partition["regions"] if re.match(partition["regionRegex"], one)]
    assert regions
    assert {partition_of(one) for one in regions} == {partition["id"]}
    assert partition["outputs"]["dnsSuffix"] in SUFFIXES


def test_an_arn_names_its_partition() -> None:
    assert partition_in("arn:aws-us-gov:iam::123456789012:role/x") == "aws-us-gov"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_former_name_of_a_load_balancer_is_known_everywhere(suffix: str) -> None:
    ours = former_names(f"onyx-prod-alb-419508292.region-1.elb.{suffix}")
    assert ours(f"onyx-prod-alb-1234.region-1.elb.{suffix}.")
    assert not ours(f"onyx-test-alb-1234.region-1.elb.{suffix}")


def written(tree: ast.AST) -> Iterator[str]:
    """Every string of the code that is no docstring."""
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.value


@pytest.mark.parametrize("file", sorted(SOURCES.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCES)))
def test_no_partition_is_written_down(file: Path) -> None:
    assert not [text for text in written(ast.parse(file.read_text())) if "arn:aws:" in text]


def test_nor_in_what_terraform_and_the_hooks_have() -> None:
    files = [*(ROOT / "terraform").rglob("*.tf"), *(path for path in (ROOT / "hooks").rglob("*") if path.is_file())]
    assert files
    for file in files:
        assert "arn:aws:" not in file.read_text(errors="ignore"), file
