"""What botocore raises, as Problems: the table, by AWS's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore import exceptions as raised
from botocore.exceptions import ClientError

from orchestrator.aws.errors import problem_of
from orchestrator.aws.foreign_answers import ForeignAnswerError
from orchestrator.errors import Expired, Invalid, OrchestratorError, Outcome, Transient

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
WHO = "User: arn:aws:iam::123456789012:user/ops is not authorized to perform"


def answer(code: str, message: str, operation: str = "DescribeServices", status: int = 400, off: int = 0) -> Any:
    """AWS's refusal, dated `off` seconds before this machine's time."""
    date = format_datetime(NOW - timedelta(seconds=off), usegmt=True)
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": {"date": date},
                "RequestId": "1",
                "HostId": "",
                "RetryAttempts": 0,
            },
        },
        operation,
    )


def judged(error: Exception, doing: str = "ecs:DescribeServices") -> OrchestratorError:
    return problem_of(error, doing, NOW)


LATE = "Signature expired: 20260101T115000Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)"
EARLY = "Signature not yet current: 20260101T121000Z is still later than 20260101T120500Z (20260101T120000Z + 5 min.)"


@pytest.mark.parametrize(
    ("code", "message", "off"),
    [
        ("SignatureDoesNotMatch", LATE, 0),
        ("SignatureDoesNotMatch", EARLY, 0),
        ("InvalidSignatureException", LATE, 0),
        ("InvalidSignatureException", EARLY, 0),
        ("InvalidSignature", LATE, 0),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 1200),
        ("RequestInTheFuture", "", 1200),
        ("RequestExpired", "Request has expired.", -1200),
        ("AuthFailure", LATE, 0),
    ],
)
def test_a_wrong_clock_is_called_one(code: str, message: str, off: int) -> None:
    found = judged(answer(code, message, status=403, off=off))
    (problem,) = found.problems
    assert (type(found), problem.code) == (Invalid, "clock-wrong")
    assert "clock" in problem.fix
    assert ("1200 s" in problem.message) is bool(off)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (
            answer("ExpiredToken", "The security token included in the request is expired"),
            Expired,
            "credentials-expired",
        ),
        (answer("ExpiredTokenException", ""), Expired, "credentials-expired"),
        (answer("RequestExpired", "Request has expired.", off=3), Expired, "credentials-expired"),
        (raised.UnauthorizedSSOTokenError(), Expired, "credentials-expired"),
        (raised.RefreshWithMFAUnsupportedError(), Expired, "credentials-expired"),
        (answer("InvalidClientTokenId", ""), Invalid, "credentials-rejected"),
        (
            answer("SignatureDoesNotMatch", "The request signature we calculated does not match"),
            Invalid,
            "credentials-rejected",
        ),
        (
            answer("AuthFailure", "AWS was not able to validate the provided access credentials"),
            Invalid,
            "credentials-rejected",
        ),
        (answer("OptInRequired", "You are not subscribed to this service"), Invalid, "region-not-enabled"),
        (answer("RegionDisabledException", "STS is not activated in this region"), Invalid, "region-not-enabled"),
        (answer("Throttling", "Rate exceeded"), Transient, "throttled"),
        (answer("EC2ThrottledException", ""), Transient, "throttled"),
        (answer("ServiceUnavailable", "", status=503), Transient, "aws-unavailable"),
        (answer("SomethingNew", "", status=500), Transient, "aws-unavailable"),
        (answer("ConcurrentUpdateException", "another update is in progress"), Transient, "aws-unavailable"),
        (answer("OperationAborted", "A conflicting conditional operation", status=409), Transient, "aws-unavailable"),
        (answer("SnapshotCreationPerVolumeRateExceeded", ""), Transient, "aws-unavailable"),
        (raised.IncompleteReadError(actual_bytes=1, expected_bytes=2), Transient, "aws-unreachable"),
        (ForeignAnswerError(said="HTTP 200, text/html"), Transient, "aws-answer-foreign"),
        (answer("LimitExceededException", "no more than 10 names"), OrchestratorError, "aws-error"),
        (answer("SomethingNew", "what it is"), OrchestratorError, "aws-error"),
        (raised.NoCredentialsError(), Invalid, "credentials-missing"),
        (raised.PartialCredentialsError(provider="env", cred_var="X"), Invalid, "credentials-missing"),
        (raised.InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]), Invalid, "aws-setup-invalid"),
        (raised.NoRegionError(), Invalid, "region-invalid"),
        (
            raised.SSLError(endpoint_url="x", error=ValueError("CERTIFICATE_VERIFY_FAILED")),
            Invalid,
            "aws-certificate-untrusted",
        ),
        (raised.SSLError(endpoint_url="x", error=ValueError("EOF occurred")), Transient, "aws-unreachable"),
        (raised.ProxyConnectionError(proxy_url="http://p"), Transient, "aws-unreachable"),
        (raised.EndpointConnectionError(endpoint_url="http://x"), Transient, "aws-unreachable"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:60],
)
def test_each_has_its_class_code_and_fix(error: Exception, kind: type[OrchestratorError], code: str) -> None:
    found = judged(error)
    (problem,) = found.problems
    assert (type(found), problem.code) == (kind, code)
    assert problem.fix
    assert "ecs:DescribeServices" in problem.context


def test_of_a_session_that_has_ended_s3_says_no_more_to_head_than_400() -> None:
    found = judged(answer("400", "Bad Request", status=400, operation="HeadBucket"))
    assert (type(found), found.problems[0].code) == (Expired, "credentials-expired")
    assert type(judged(answer("400", "Bad Request", status=400))) is OrchestratorError, "others have a body"


def test_an_unknown_error_names_the_operation_even_where_it_is_another() -> None:
    found = judged(answer("ValidationError", "1 validation error", operation="AssumeRole"))
    assert found.problems[0].context == "ecs:DescribeServices (AssumeRole)"


ENCODED = "You are not authorized to perform this operation. Encoded authorization failure message: Zm9v"
NONE = "because no identity-based policy allows the ecs:DescribeServices action"
SCP = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1"


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        (
            "AccessDeniedException",
            f"{WHO}: ecs:DescribeServices on resource: arn:aws:ecs:eu-west-1:1:service/c/s {NONE}",
            '{"Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": "arn:aws:ecs:eu-west-1:1:service/c/s"}',
        ),
        ("AccessDenied", "Access Denied", '"Action": "ecs:DescribeServices", "Resource": "*"'),
        ("UnauthorizedOperation", ENCODED, "aws sts decode-authorization-message"),
        ("AccessDenied", f"{WHO}: ecs:DescribeServices on resource: * {SCP}", "organization forbids it"),
        (
            "AccessDenied",
            f"{WHO}: ecs:DescribeServices with an explicit deny in an identity-based policy",
            "policy of the identity",
        ),
        (
            "AccessDenied",
            f"{WHO}: ecs:X because no permissions boundary allows the ecs:X action",
            "permissions boundary",
        ),
        ("AccessDenied", f"{WHO}: ecs:X because no VPC endpoint policy allows the ecs:X action", "VPC endpoint"),
    ],
    ids=["identity", "mute", "encoded", "scp", "explicit", "boundary", "endpoint"],
)
def test_access_denied_names_the_action_and_who_can_change_it(code: str, message: str, says: str) -> None:
    (problem,) = judged(answer(code, message, status=403)).problems
    assert problem.code == "access-denied"
    assert problem.context.startswith("ecs:")
    assert says in problem.fix
    an_allow_helps = says.startswith('{"Effect"') or '"Action"' in says or "decode" in says
    assert ('"Effect"' in problem.fix) is an_allow_helps


def test_what_is_under_a_key_is_not_helped_by_the_services_own_action() -> None:
    found = judged(answer("AccessDeniedException", "Access to KMS is not allowed", operation="GetSecretValue"))
    (problem,) = found.problems
    assert problem.code == "access-denied"
    assert "kms:Decrypt" in problem.fix
    assert "GetSecretValue" not in problem.fix


@pytest.mark.parametrize(
    ("code", "message", "operation"),
    [
        ("KMSKeyNotAccessibleFault", "The specified KMS key [arn:aws:kms:eu-west-1:1:key/2] …", "StartDBInstance"),
        ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text …", "GetSecretValue"),
        ("KMS.DisabledException", "arn:aws:kms:eu-west-1:1:key/2 is disabled.", "PutObject"),
        ("KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:1:key/2 is pending deletion.", "GetObject"),
    ],
)
def test_a_key_that_is_off_is_named_with_what_brings_it_back(code: str, message: str, operation: str) -> None:
    (problem,) = judged(answer(code, message, operation=operation)).problems
    assert problem.code == "kms-key-unusable"
    assert f"enable-key --key-id {'arn:aws:kms:eu-west-1:1:key/2' if 'key/2' in message else 'KEY'}" in problem.fix
    assert "cancel-key-deletion" in problem.fix


def test_a_wrong_code_of_a_device_is_no_matter_of_permissions() -> None:
    message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    found = judged(answer("AccessDenied", message, operation="AssumeRole", status=403), "credentials of profile corp")
    assert (type(found), found.problems[0].code) == (Invalid, "mfa-code-rejected")


def test_expired_has_an_outcome_of_its_own() -> None:
    assert (Expired.outcome, Outcome.EXPIRED.status) == (Outcome.EXPIRED, 7)
