"""What a worker must be allowed before it is in a stack's role; and `orchestrate fleet policy`, which asks nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli import orchestrate

ROLES = ("arn:aws-us-gov:iam::111122223333:role/a", "arn:aws-us-gov:iam::111122223333:role/b")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fleet.toml"


def printed(file: Path) -> tuple[list[dict[str, object]], str]:
    ended = CliRunner().invoke(orchestrate, ["fleet", "policy", "--fleet", str(file)], catch_exceptions=False)
    assert ended.exit_code == 0, ended.stderr
    return json.loads(ended.stdout)["Statement"], ended.stderr


def test_the_roles_of_the_stacks_and_the_prefixes_that_are_listed(file: Path) -> None:
    stacks = "".join(
        f'[stacks.{name}]\ncontract = "s3://states/{name}"\nrole = "{role}"\n'
        for name, role in (("one", ROLES[1]), ("two", ROLES[0]), ("three", ROLES[1]))
    )
    file.write_text(f'discover = ["stacks/*", "s3://states/prod/", "s3://others"]\n{stacks}')
    said, notes = printed(file)
    assert said == [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": ["arn:aws-us-gov:s3:::states"],
            "Condition": {"StringEquals": {"s3:prefix": ["prod/"]}},
        },
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws-us-gov:s3:::others"]},
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": list(ROLES)},
    ]
    assert "`orchestrate policy`" in notes


def test_a_fleet_without_roles_needs_nothing_of_its_own(file: Path) -> None:
    file.write_text('[stacks.one]\ncontract = "s3://states/one"\n')
    said, notes = printed(file)
    assert said == []
    assert "nothing is needed" in notes
