"""One boto3 session for a run, and the translation of botocore's errors into Problems."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import exceptions as known
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from orchestrator.errors import Invalid, OrchestratorError, Problem, Refused, Transient

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_REJECTED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "InvalidToken",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized"}
_PERFORMING = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")
_CALLED_OTHERWISE = {"HeadBucket": "ListBucket", "HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}
"""Operations that are another action in IAM."""
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "PriorRequestNotComplete",
    "RequestThrottled",
    "SlowDown",
}
_PASSING = {"InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "ServerException"}


class _Client:
    """A boto3 client that is made when it is first used: EC2's alone is 20 MiB, and most commands use a few.

    Thread-safe: boto3's sessions make one client at a time, whose use may be shared.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._made: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        with self._making:
            if not self._made:
                self._made.append(self._make())
        return getattr(self._made[0], name)


class Aws:
    """Clients of one account and region, to be shared between threads.

    Counts every request that leaves (retries of botocore included) in `calls`.
    """

    def __init__(self, region: str, profile: str | None = None) -> None:
        try:
            self._session = boto3.Session(region_name=region, profile_name=profile)
        except ProfileNotFound:
            fix = "name a profile of ~/.aws/config, or leave --profile away"
            raise Invalid(
                Problem("aws-profile-unknown", f"there is no AWS profile {profile!r}", "--profile", fix)
            ) from None
        self.region = region
        self.calls = 0
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._clients: dict[tuple[str, int], _Client] = {}

    def client(self, service: str) -> Any:
        """The one client of `service`. botocore retries throttling and transport errors by itself (5 attempts)."""
        return self._client(service, attempts=5)

    def once(self, service: str) -> Any:
        """A client that sends each call once: for a change that must not be made twice when its answer is lost."""
        return self._client(service, attempts=1)

    def _client(self, service: str, *, attempts: int) -> Any:
        with self._lock:
            return self._clients.setdefault(
                (service, attempts), _Client(lambda: self._made(service, attempts=attempts))
            )

    def _made(self, service: str, *, attempts: int) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=10,
            read_timeout=60,
            user_agent_extra="onyx-orchestrator",
            max_pool_connections=32,
            # Signed URLs too: by themselves they are of version 2, which younger buckets don't take.
            signature_version="s3v4" if service == "s3" else None,
        )
        session: Any = self._session
        with self._making:
            made = session.client(service, config=config)
        made.meta.events.register("before-send", self._count)
        return made

    def _count(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1

    def require_account(self, account_id: str) -> None:
        """Raise `Refused` unless our credentials belong to the account the contract names."""
        with translated("sts:GetCallerIdentity"):
            identity = self.client("sts").get_caller_identity()
        if identity["Account"] != account_id:
            raise Refused(
                Problem(
                    "wrong-account",
                    f"these credentials belong to account {identity['Account']}, the stack to {account_id}",
                    "contract: account_id",
                    "use the credentials (AWS_PROFILE, --profile) of the stack's account",
                )
            )


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


def problem_of(error: Exception, doing: str) -> OrchestratorError:
    """The one table from botocore's errors to ours."""
    if isinstance(error, ClientError):
        return _answered(error, doing)
    return _unanswered(error, doing)


def _answered(error: Any, doing: str) -> OrchestratorError:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{code}: {error.response.get('Error', {}).get('Message', '')}".strip()
    if code in _EXPIRED:
        return Invalid(Problem("credentials-expired", message, doing, "sign in again (aws sso login, or new keys)"))
    if code in _REJECTED:
        return Invalid(Problem("credentials-rejected", message, doing, "check AWS_PROFILE and the AWS_* variables"))
    if code in _DENIED:
        return denied(error, doing)
    if code in _THROTTLED:
        return Transient(Problem("throttled", message, doing, "wait; AWS limits the request rate of the account"))
    if code in _PASSING or status >= 500:
        return Transient(
            Problem("aws-unavailable", message or f"HTTP {status}", doing, "wait, or see the AWS health page")
        )
    return OrchestratorError(Problem("aws-error", message, doing, "see the message of AWS"))


def denied(error: Any, doing: str) -> OrchestratorError:
    """The identity may not: the problem names the action that it lacks."""
    said = error.response.get("Error", {})
    action = _action(doing.partition(":")[0], error.operation_name, said.get("Message", ""))
    fix = f"allow {action} to the identity that runs this: `orchestrate policy` prints all that a command needs"
    return OrchestratorError(Problem("access-denied", f"{said.get('Code')}: {said.get('Message', '')}", action, fix))


def _action(service: str, operation: str, message: str) -> str:
    """AWS mostly names it, and it may be another one than what was called (a secret of a batch). Else, the call's."""
    named = _PERFORMING.search(message)
    return named[1] if named else f"{service}:{_CALLED_OTHERWISE.get(operation, operation)}"


def _unanswered(error: Exception, doing: str) -> OrchestratorError:
    missing = (known.NoCredentialsError, known.PartialCredentialsError, known.CredentialRetrievalError)
    sso = (known.SSOTokenLoadError, known.UnauthorizedSSOTokenError, known.TokenRetrievalError)
    if isinstance(error, sso):
        return Invalid(Problem("credentials-expired", str(error), doing, "run `aws sso login`"))
    if isinstance(error, missing):
        fix = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        return Invalid(Problem("credentials-missing", "no usable AWS credentials were found", doing, fix))
    if isinstance(error, known.InvalidRegionError | known.NoRegionError):
        return Invalid(Problem("region-invalid", str(error), doing, "correct `region` in the contract"))
    if isinstance(error, known.HTTPClientError | known.ConnectionError):
        return Transient(
            Problem("aws-unreachable", str(error), doing, "check the network, the region and AWS_ENDPOINT_URL")
        )
    return OrchestratorError(Problem("aws-error", f"{type(error).__name__}: {error}", doing, "see the message"))
