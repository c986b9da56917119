import pytest

from orchestrator.errors import Outcome, Problem
from orchestrator.redact import Redactor
from orchestrator.terraform.failure import (
    LockInfo,
    StateLocked,
    TerraformFailed,
    failed,
    from_text,
    lock_info,
    wants_init,
)
from orchestrator.terraform.stream import Diagnostic

OPEN = Redactor()
LOCKED = """Error message: resource temporarily unavailable
Lock Info:
  ID:        40983d77-8964
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       root@vm
  Version:   1.11.4
  Created:   2026-01-01 17:25:12.96 +0000 UTC
  Info:      

Terraform acquires a state lock to protect the state from being written
"""  # noqa: W291 - terraform's own trailing blanks
BOXED = """
╷
│ Error: No valid credential sources found
│
│   with provider["registry.terraform.io/hashicorp/aws"],
│   on main.tf line 1:
╵
╷
│ Error: Second
╵
"""


def test_every_error_is_a_problem_with_its_place() -> None:
    errors = [Diagnostic("error", "It broke", "badly", "aws_x.y", "main.tf:7"), Diagnostic("error", "Twice")]
    error = failed(errors, "", OPEN, status=1)
    assert isinstance(error, TerraformFailed)
    assert error.outcome is Outcome.FAILED
    assert list(error.problems) == [
        Problem("terraform-failed", "It broke: badly", context="aws_x.y main.tf:7"),
        Problem("terraform-failed", "Twice"),
    ]


def test_a_lock_is_told_with_its_holder() -> None:
    error = failed([Diagnostic("error", "Error acquiring the state lock", LOCKED)], "", OPEN, status=1)
    assert isinstance(error, StateLocked)
    assert error.outcome is Outcome.LOCKED
    assert error.lock == LockInfo(
        "40983d77-8964", "root@vm", "OperationTypeApply", "2026-01-01 17:25:12.96 +0000 UTC", "terraform.tfstate"
    )
    (problem,) = error.problems
    assert problem.code == "state-locked"
    assert "root@vm" in problem.message
    assert "force-unlock 40983d77-8964" in problem.fix


def test_a_lock_may_say_nothing() -> None:
    assert lock_info("Error message: PreconditionFailed") == LockInfo()
    assert lock_info("Lock Info:\n  ID:        \n  Path:      p") == LockInfo(path="p")


def test_framed_text_is_read_when_there_are_no_diagnostics() -> None:
    first, second = from_text(BOXED)
    assert first.summary == "No valid credential sources found"
    assert "on main.tf line 1" in first.detail
    assert second == Diagnostic("error", "Second")


def test_silence_is_said() -> None:
    (problem,) = failed((), " \n", OPEN, status=7).problems
    assert problem.message == "terraform ended with status 7 and said nothing"


def test_a_killed_terraform_may_have_left_things_behind() -> None:
    (problem,) = failed((), "Warning: something else", OPEN, status=-9).problems
    assert problem.code == "terraform-killed"
    assert "import" in problem.fix


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('Backend initialization required, please run "terraform init": Reason: …', True),
        ("Required plugins are not installed: run:\n  tofu init", True),
        ("Invalid reference: terraform initialises nothing", False),
    ],
)
def test_terraform_itself_asks_for_init(message: str, expected: bool) -> None:
    assert wants_init(TerraformFailed(Problem("terraform-failed", message))) is expected


def test_secrets_are_masked_in_problems() -> None:
    told = Diagnostic("error", "password hunter22 refused", "used hunter22", 'x["hunter22"]')
    error = failed([told], "", Redactor(["hunter22"]), status=1)
    assert "hunter22" not in f"{error} {error.problems!r}"
    assert "***" in str(error)


@pytest.mark.parametrize(
    "code",
    [
        "DBInstanceAlreadyExists: DB instance already exists",
        "EntityAlreadyExists: Role with name x already exists.",
        "BucketAlreadyOwnedByYou: Your previous request",
        "ResourceAlreadyExistsException: The specified log group already exists",
        "DuplicateLoadBalancerName: A load balancer with the same name",
        "InvalidGroup.Duplicate: The security group",
    ],
)
def test_what_exists_already_can_be_imported(code: str) -> None:
    error = failed([Diagnostic("error", f"creating it: {code}", address="module.a.thing.this[0]")], "", str, status=1)
    (problem,) = error.problems
    assert problem.code == "exists-already"
    assert "terraform import 'module.a.thing.this[0]' ID" in problem.fix


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Invalid AuthToken provided. It must be 16-128 printable characters", "redis-import-unfinished"),
        ("Replication group is not available", "terraform-failed"),
    ],
)
def test_a_redis_group_that_was_imported_is_complete_after_one_more_apply(said: str, code: str) -> None:
    summary = (
        "modifying ElastiCache Replication Group (onyx-prod-redis) authentication: operation error ElastiCache: "
        f"ModifyReplicationGroup, https response error StatusCode: 400, RequestID: x, InvalidParameterValue: {said}"
    )
    (problem,) = failed([Diagnostic("error", summary, address="module.redis.this")], "", str, status=1).problems
    assert problem.code == code
    assert ("run the same command again" in problem.fix) is (code == "redis-import-unfinished")
