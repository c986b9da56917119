"""Which fixes are commands, and which a person must think about."""

from __future__ import annotations

import pytest

from tests.diagnose.remedies import commands


@pytest.mark.parametrize(
    ("fix", "typed"),
    [
        ("orchestrate run --tenant a", ["orchestrate run --tenant a"]),
        ("orchestrate run --tenant a: the tenant-databases step creates it", ["orchestrate run --tenant a"]),
        (
            "aws rds start-db-instance --db-instance-identifier x",
            ["aws rds start-db-instance --db-instance-identifier x"],
        ),
        (
            "aws ec2 authorize-security-group-ingress --group-id sg-1; aws ec2 x --port 1 (and in Terraform)",
            ["aws ec2 authorize-security-group-ingress --group-id sg-1", "aws ec2 x --port 1"],
        ),
        ("orchestrate doctor --fix; by hand: orchestrate shell vespa, then sudo x", ["orchestrate doctor --fix"]),
        ("terraform apply", []),
        ("aws rds modify-db-instance --db-instance-class <one larger>", []),
        ("repair the cause, then: orchestrate run --tenant a", []),
        ("wait until it is stopped, then: aws rds start-db-instance", []),
    ],
)
def test_commands_of_a_fix(fix: str, typed: list[str]) -> None:
    assert [" ".join(one) for one in commands(fix)] == typed
