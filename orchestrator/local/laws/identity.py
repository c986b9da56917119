"""Identity: an STS session ends when its time is up, and a role that requires an MFA code is assumed only with one.

Every device here always shows the same code; on AWS it changes every 30 seconds, and each code works once. A role
requires it if its trust policy demands `aws:MultiFactorAuthPresent`. A role in another account has that account's
resources, of which there are none at first; each region has its own. Keys that belong to no session are the account's
own: whether they exist is checked only with `--enforce-iam`. Left out: GetSessionToken, federation, SAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import BaseResponse
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from orchestrator.local.core.corrections import replace
from orchestrator.local.laws import Force, Law, Refusal, Row

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall

CODE = "314159"
"""What a device for MFA shows in this cloud."""
SHORTEST, LONGEST = 900, 43_200
"""Seconds a session may last."""
TEMPORARY = "ASIA"
"""What every key of a session begins with."""
_JSON = frozenset({"json", "rest-json"})
_WANTED = "aws:multifactorauthpresent"


class Identity(Force):
    """Looks at who signed, and at what is asked of STS."""

    def refusal(self, call: AwsCall) -> Refusal | None:
        """Why the caller is nobody (any more), or doesn't get the role."""
        if _has_ended(call.key):
            return _ended(call)
        return _not_given(call) if call.name == "sts.AssumeRole" else None


def _has_ended(key: str) -> bool:
    found = session_of(key)
    return found is not None and found.expiration.replace(tzinfo=UTC) <= datetime.now(UTC)


def session_of(key: str) -> Any | None:
    """The assumed role whose key it is."""
    return (
        next((role for role in _sessions() if role.access_key_id == key), None) if key.startswith(TEMPORARY) else None
    )


def _sessions() -> Iterator[Any]:
    """Every role that was ever assumed, of all accounts and partitions."""
    for partitions in list(sts_backends.values()):
        for backend in list(partitions.values()):
            yield from list(backend.assumed_roles)


def _ended(call: AwsCall) -> Refusal:
    if call.service == "ec2":
        return Refusal("RequestExpired", "Request has expired.", 400)
    code = "ExpiredTokenException" if call.protocol in _JSON else "ExpiredToken"
    status = 400 if call.protocol in _JSON or call.service == "s3" else 403
    return Refusal(code, "The security token included in the request is expired", status)


def _not_given(call: AwsCall) -> Refusal | None:
    asked = call.parameters
    seconds = int(asked.get("DurationSeconds") or SHORTEST)
    if not SHORTEST <= seconds <= LONGEST:
        text = f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value "
        bound = f"greater than or equal to {SHORTEST}" if seconds < SHORTEST else f"less than or equal to {LONGEST}"
        return Refusal("ValidationError", f"1 validation error detected: {text}{bound}", 400)
    code = asked.get("TokenCode")
    if code is not None and code != CODE:
        message = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
        return Refusal("AccessDenied", message, 403)
    role = str(asked.get("RoleArn", ""))
    if code is None and _wants_a_code(role, call.region):
        words = f"is not authorized to perform: sts:AssumeRole on resource: {role}"
        return Refusal("AccessDenied", f"User: {role.rpartition(':')[0]}:user/{call.key} {words}", 403)
    return None


def _wants_a_code(arn: str, region: str) -> bool:
    """Whether the role's trust policy says so."""
    parts = arn.split(":")
    if len(parts) < 6:
        return False
    roles = iam_backends[parts[4]][get_partition(region)].roles.values()
    role = next((one for one in roles if one.arn == arn), None)
    policy = json.loads(role.assume_role_policy_document) if role else {}
    statements = policy.get("Statement", [])
    return any(_asks(one) for one in (statements if isinstance(statements, list) else [statements]))


def _asks(statement: Mapping[str, Any]) -> bool:
    conditions = statement.get("Condition", {}).values()
    said = {key.lower(): str(value).lower() for one in conditions for key, value in one.items()}
    return said.get(_WANTED) == "true"


def end_sessions() -> None:
    """Every session that was opened until now is over."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for role in _sessions():
        role.expiration = min(now, role.expiration.replace(tzinfo=None))


def _begin(_cloud: Cloud) -> Identity:
    by_moto = BaseResponse.get_current_account

    def account(response: BaseResponse) -> str:
        """Whose world a call is about: its session's account. Of a key that no session has, moto tells the account."""
        session = session_of(response.get_access_key())
        return str(session.account_id) if session else by_moto(response)

    replace(BaseResponse, get_current_account=account)
    return Identity()


def _rows() -> Sequence[Row]:
    source = "IAM User Guide, Temporary security credentials; STS API Reference, AssumeRole"
    return (
        Row(
            "every call with a session's key",
            "refused once the session has ended",
            source,
        ),
        Row("sts AssumeRole, DurationSeconds", f"{SHORTEST} to {LONGEST:,} seconds", source),
        Row(
            "sts AssumeRole, TokenCode", "a wrong code is refused, and so is none for a role that requires one", source
        ),
    )


LAW = Law("identity", "Sessions and MFA: sessions end, and a device's code is required", 10, _begin, _rows)
