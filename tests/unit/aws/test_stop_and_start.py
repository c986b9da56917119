"""What becomes of AWS's refusals to stop and start."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.ec2 import Ec2, NoCapacity
from orchestrator.aws.rds import Rds
from orchestrator.errors import OrchestratorError, Transient


class Refusing:
    """A client whose every call is refused with this code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __getattr__(self, name: str) -> Any:
        def refuse(**_given: Any) -> None:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, name)

        return refuse


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        ("InvalidDBInstanceState", Transient, "database-server-busy"),
        ("InsufficientDBInstanceCapacity", Transient, "database-no-capacity"),
        ("AccessDenied", OrchestratorError, "access-denied"),
    ],
)
def test_rds(code: str, kind: type[OrchestratorError], problem: str) -> None:
    for call in (Rds(Refusing(code)).stop, Rds(Refusing(code)).start):
        with pytest.raises(OrchestratorError) as caught:
            call("db")
        assert (type(caught.value), caught.value.problems[0].code) == (kind, problem)


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        ("InsufficientInstanceCapacity", NoCapacity, "instance-no-capacity"),
        ("IncorrectInstanceState", Transient, "instance-busy"),
        ("UnauthorizedOperation", OrchestratorError, "access-denied"),
    ],
)
def test_ec2(code: str, kind: type[OrchestratorError], problem: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        Ec2(Refusing(code)).start("i-1")
    assert (type(caught.value), caught.value.problems[0].code) == (kind, problem)
