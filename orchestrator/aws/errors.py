"""What botocore raises, as Problems: the one table, for aws/ and dns/route53.py alike.

An answer of AWS is judged by its error code; where a code means two things (a signature that is wrong, or one whose
time is), by the words that AWS always uses there. Without an answer it is judged by the class of the exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as known
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.foreign_answers import ForeignAnswerError
from orchestrator.errors import Expired, Invalid, OrchestratorError, Problem, Transient

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_REJECTED = {
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidSignature",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "AuthFailure",
    "InvalidToken",
    "NotSignedUp",
}
_SKEWED = {"RequestTimeTooSkewed", "RequestInTheFuture"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "NotAuthorizedException",
    "ForbiddenException",
    "Forbidden",
    "403",
}
_KEY_OFF = {
    "DecryptionFailure",
    "DisabledException",
    "EncryptionFailure",
    "InvalidKMSKey.InvalidState",
    "InvalidKMSKeyFault",
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "KMSInvalidStateException",
    "KMSKeyNotAccessibleFault",
}
"""The KMS key is disabled, scheduled for deletion or gone: each service says so in its own way."""
_NOT_ENABLED = {"OptInRequired", "SubscriptionRequiredException", "RegionDisabledException", "InvalidRegionException"}
_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
"""botocore's own list (botocore.retries.standard) but for LimitExceededException, which mostly is a quota."""
_PASSING = {
    "ConcurrentModification",
    "ConcurrentModificationException",
    "ConcurrentSnapshotLimitExceeded",
    "ConcurrentUpdateException",
    "ConditionalRequestConflict",
    "DependencyTimeoutException",
    "IDPCommunicationError",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerErrorException",
    "InternalServiceError",
    "KMSInternalException",
    "OperationAborted",
    "OperationAbortedException",
    "RequestInProgressException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SnapshotCreationPerVolumeRateExceeded",
    "TooManyUpdates",
    "Unavailable",
}
"""AWS's own trouble, and another change of the same thing that is under way: each may have passed a moment later."""

_OFF_TIME = re.compile(r"signature expired|signature not yet current|is now (earlier|later) than", re.IGNORECASE)
"""STS and the JSON services say so in the words of a signature that doesn't match."""
_PERFORMING = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)(?: on resource: (\S+))?")
_CALLED_OTHERWISE = {"HeadBucket": "ListBucket", "HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}
"""Operations that are another action in IAM."""
_MFA_WRONG = re.compile(r"MultiFactorAuthentication failed|MFA.*(invalid|must be)", re.IGNORECASE)
_SEALED = re.compile(r"\bKMS\b")
"""Secrets Manager: "Access to KMS is not allowed". Its own action was allowed then."""
_ENCODED = re.compile(r"Encoded authorization failure message: *(\S+)")
_DENIES = {
    "service control policy": "your organization forbids it with a service control policy (SCP)",
    "resource control policy": "your organization forbids it with a resource control policy (RCP)",
    "permissions boundary": "the identity's permissions boundary doesn't allow it",
    "session policy": "the session policy doesn't allow it",
    "VPC endpoint policy": "the policy of the VPC endpoint that the call goes through doesn't allow it",
    "resource-based policy": "the policy of that resource itself forbids it",
    "identity-based policy": "a policy of the identity forbids it",
}
"""What AWS calls the policy that says no, and what that means: no `Allow` helps against any of these."""
SKEW = timedelta(minutes=4)
"""AWS takes signatures that are at most five minutes off (S3 and EC2: fifteen)."""
_SIGN_IN = "sign in again (`aws sso login`, or new keys) and run the same command: it continues from what is there"


def is_ended_session(code: str, operation: str) -> bool:
    """Whether S3 says of a session that it has ended, as far as it can: its answers to HEAD have no body."""
    return code == "400" and operation.startswith("Head")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what botocore raises inside into an `OrchestratorError` that names what we were doing."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise problem_of(error, doing) from None


def code_of(error: Any) -> str:
    """The error code AWS answered with ("" when no answer came)."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def problem_of(error: Exception, doing: str, now: datetime | None = None) -> OrchestratorError:
    """The one table from botocore's errors to ours. `doing` is `service:Operation`; `now` is this machine's time."""
    if isinstance(error, ClientError):
        return _answered(error, doing, now or datetime.now(UTC))
    return _unanswered(error, doing)


def _answered(error: Any, doing: str, now: datetime) -> OrchestratorError:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{code}: {error.response.get('Error', {}).get('Message', '')}".strip()
    doing = _named(error, doing)
    if code in _SKEWED or (code in EXPIRED | _REJECTED and _OFF_TIME.search(message)):
        return _wrong_clock(message, doing, _skew(error, now))
    if code in EXPIRED or is_ended_session(code, str(error.operation_name)):
        skew = _skew(error, now)
        if code == "RequestExpired" and abs(skew) > SKEW:
            return _wrong_clock(message, doing, skew)
        return Expired(Problem("credentials-expired", message, doing, _SIGN_IN))
    if code in _REJECTED:
        return Invalid(Problem("credentials-rejected", message, doing, _CHECK_KEYS))
    if code in _NOT_ENABLED:
        fix = "enable the region (account settings, AWS Regions) or the service for this account, or correct `region`"
        return Invalid(Problem("region-not-enabled", message, doing, fix))
    if code in _DENIED:
        return denied(error, doing)
    if code in _KEY_OFF:
        return OrchestratorError(Problem("kms-key-unusable", message, doing, _unlock(message)))
    if code in _THROTTLED:
        return Transient(Problem("throttled", message, doing, "wait; AWS limits the request rate of the account"))
    if code in _PASSING or status >= 500:
        return Transient(
            Problem("aws-unavailable", message or f"HTTP {status}", doing, "wait, or see the AWS health page")
        )
    return OrchestratorError(Problem("aws-error", message, doing, "see AWS's message"))


_IN_BETWEEN = (
    "a proxy, a firewall or a captive portal answered in AWS's place: sign in there, or correct HTTPS_PROXY, NO_PROXY "
    "or AWS_ENDPOINT_URL"
)
_KEY = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d+:key/[\w-]+")


def _unlock(message: str) -> str:
    named = _KEY.search(message)
    key = named[0] if named else "KEY"
    return (
        f"`aws kms describe-key --key-id {key}` says its state: enable it (`aws kms enable-key --key-id {key}`; before "
        f"that, where it is scheduled for deletion: `aws kms cancel-key-deletion --key-id {key}`), and run this again"
    )


_CHECK_KEYS = "check AWS_PROFILE and the AWS_* variables; AWS says the same about a region that is not enabled"


def _named(error: Any, doing: str) -> str:
    """What was done, with the operation that failed where it is another (a role that is assumed before the call)."""
    operation = str(error.operation_name)
    same = operation.lower() in doing.lower() or _CALLED_OTHERWISE.get(operation, "-") in doing
    return doing if same or not operation else f"{doing} ({operation})"


def _skew(error: Any, now: datetime) -> timedelta:
    """How far this machine's clock is before AWS's, by the date of the answer; zero where it has none."""
    headers: Mapping[str, str] = error.response.get("ResponseMetadata", {}).get("HTTPHeaders") or {}
    try:
        there = parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError):
        return timedelta()
    return now - (there if there.tzinfo else there.replace(tzinfo=UTC))


def _wrong_clock(message: str, doing: str, skew: timedelta) -> Invalid:
    off = (
        f", {abs(round(skew.total_seconds()))} s {'fast' if skew > timedelta() else 'slow'}" if abs(skew) > SKEW else ""
    )
    fix = "set this machine's clock (chronyc makestep, timedatectl set-ntp true; in a virtual machine: after a sleep)"
    return Invalid(Problem("clock-wrong", f"the clock of this machine is wrong{off}: {message}", doing, fix))


def denied(error: Any, doing: str) -> OrchestratorError:
    """The identity may not: the problem names the action, who says no, and the line of a policy that would allow it."""
    said = error.response.get("Error", {})
    message = str(said.get("Message", ""))
    if _MFA_WRONG.search(message):
        fix = "wait for the next code of that device, and run the command again; each code works once"
        return Invalid(Problem("mfa-code-rejected", f"{said.get('Code')}: {message}", _named(error, doing), fix))
    action, resource = _action(doing.partition(":")[0], str(error.operation_name), message)
    return OrchestratorError(
        Problem("access-denied", f"{said.get('Code')}: {message}", action, _way_in(action, resource, message))
    )


def _way_in(action: str, resource: str, message: str) -> str:
    """What has to change, and who can: an `Allow` is no help where some policy denies."""
    if _SEALED.search(message) and not action.startswith("kms:"):
        return (
            "it is sealed with a KMS key: allow kms:Decrypt (to write, kms:GenerateDataKey too) on that key to the "
            "identity that runs this, in its own policy and the key's; `orchestrate policy --kms-key ARN` prints that"
        )
    for policy, why in _DENIES.items():
        if f"explicit deny in a {policy}" in message or f"explicit deny in an {policy}" in message:
            return f"{why}: whoever manages that policy has to exempt {action} there; no `Allow` overrides a deny"
        if f"no {policy} allows" in message and policy != "identity-based policy":
            return f"{why}: whoever manages that policy has to allow {action} there"
    line = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource or "*"})
    fix = f"allow {action} to the identity that runs this: {line}; `orchestrate policy` prints all that a command needs"
    encoded = _ENCODED.search(message)
    return f"{fix}; `aws sts decode-authorization-message --encoded-message …` says why" if encoded else fix


def _action(service: str, operation: str, message: str) -> tuple[str, str]:
    """The action, and the resource where AWS names it.

    AWS mostly names both, and it may be another action than what was called (a secret of a batch). Else, the call's.
    """
    named = _PERFORMING.search(message)
    if named:
        return named[1], (named[2] or "").rstrip(".")
    return f"{service}:{_CALLED_OTHERWISE.get(operation, operation)}", ""


_SSO = (
    known.SSOTokenLoadError,
    known.UnauthorizedSSOTokenError,
    known.TokenRetrievalError,
    known.LoginRefreshRequired,
    known.LoginTokenLoadError,
    known.RefreshWithMFAUnsupportedError,
)
_SET_UP = (
    known.DataNotFoundError,
    known.ConfigNotFound,
    known.ConfigParseError,
    known.InvalidConfigError,
    known.InvalidDefaultsMode,
    known.InvalidEndpointConfigurationError,
    known.InvalidIMDSEndpointError,
    known.InvalidIMDSEndpointModeError,
    known.InvalidProxiesConfigError,
    known.InvalidRetryConfigurationError,
    known.InvalidS3AddressingStyleError,
    known.InvalidS3UsEast1RegionalEndpointConfigError,
    known.InvalidSTSRegionalEndpointsConfigError,
    known.InvalidChecksumConfigError,
    known.MissingDependencyException,
    known.ProfileNotFound,
    known.UnknownCredentialError,
    known.UnknownSignatureVersionError,
    known.UnsupportedSignatureVersionError,
)
_REGION = (
    known.InvalidRegionError,
    known.NoRegionError,
    known.EndpointProviderError,
    known.EndpointVariantError,
    known.UnknownEndpointError,
    known.UnknownRegionError,
)


def _unanswered(error: Exception, doing: str) -> OrchestratorError:
    if isinstance(error, _SSO):
        return Expired(Problem("credentials-expired", str(error), doing, "run `aws sso login`, then this again"))
    if isinstance(error, known.NoCredentialsError):
        fix = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return Invalid(Problem("credentials-missing", "no usable AWS credentials were found", doing, fix))
    if isinstance(error, known.PartialCredentialsError):
        fix = "add what is missing, in the same place"
        return Invalid(Problem("credentials-missing", str(error), doing, fix))
    if isinstance(error, known.CredentialRetrievalError | known.LoginError | known.MetadataRetrievalError):
        fix = "see what it says; `aws sts get-caller-identity` with the same profile must work first"
        return Invalid(Problem("credentials-missing", str(error), doing, fix))
    if isinstance(error, _REGION):
        return Invalid(Problem("region-invalid", str(error), doing, "correct `region` in the contract"))
    if isinstance(error, _SET_UP):
        return Invalid(
            Problem("aws-setup-invalid", str(error), doing, "correct it in ~/.aws/config or the AWS_* variable")
        )
    if isinstance(error, known.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        fix = "set AWS_CA_BUNDLE to a PEM file of the CAs that your network uses"
        return Invalid(Problem("aws-certificate-untrusted", str(error), doing, fix))
    if isinstance(error, known.HTTPClientError | known.ConnectionError | known.IncompleteReadError):
        return _unheard(error, doing)
    return OrchestratorError(Problem("aws-error", str(error) or type(error).__name__, doing, "see the message"))


def _unheard(error: BotoCoreError, doing: str) -> Transient:
    """No answer of AWS's came."""
    code, fix = "aws-unreachable", "check the network, the region and AWS_ENDPOINT_URL"
    if isinstance(error, ForeignAnswerError):
        code, fix = "aws-answer-foreign", _IN_BETWEEN
    elif isinstance(error, known.ProxyConnectionError):
        fix = "check HTTPS_PROXY and the proxy; NO_PROXY lists the hosts to reach directly"
    return Transient(Problem(code, str(error), doing, fix))
