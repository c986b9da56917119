"""One S3 object with conditional writes: all that a lock needs.

Needs s3:GetObject, s3:PutObject and s3:DeleteObject on the object. `If-None-Match: *` and `If-Match` are S3's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.access import Access, nobody
from orchestrator.aws.environment import EnvironmentSession
from orchestrator.aws.errors import code_of, problem_of
from orchestrator.aws.roles import assuming, with_web_identity

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409"}
"""The condition didn't hold, or somebody writes it this moment."""


@dataclass(frozen=True, slots=True)
class Read:
    """Content, ETag, and seconds since it was written, by S3's clock."""

    body: bytes
    version: str
    age: float


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role that the bucket is reached with; `given` is what else AssumeRole is told, `endpoint` STS's own.

    `token` reads the web identity that it is given for; None: it is given to our own credentials.
    """

    arn: str
    given: Mapping[str, Any] = field(default_factory=dict)
    endpoint: str | None = None
    token: Callable[[], str] | None = None


def connect(
    environment: Mapping[str, str],
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint: str | None = None,
    path_style: bool = False,
    keys: tuple[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    role: AssumedRole | None = None,
    access: Access | None = None,
) -> Any:
    """A boto3 S3 client as a state's backend is configured; what that leaves open is the command's own `access`.

    Raises like every call does.
    """
    try:
        session = _session(environment, region, profile, keys, files, role, access)
        config = Config(
            retries={"mode": "standard", "max_attempts": 3},
            connect_timeout=5,
            read_timeout=10,
            s3={"addressing_style": "path" if path_style else "auto"},
        )
        return session.client("s3", region_name=region, endpoint_url=endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise problem_of(error, "s3") from None


def _session(  # noqa: PLR0917 - as `connect` was told
    environment: Mapping[str, str],
    region: str | None,
    profile: str | None,
    keys: tuple[str, str] | None,
    files: Mapping[str, str] | None,
    role: AssumedRole | None,
    access: Access | None,
) -> Any:
    if role and role.token:
        return with_web_identity(environment, region, role.arn, role.token, given=role.given, endpoint=role.endpoint)
    if keys:
        inner: Any = EnvironmentSession(environment)
        inner.set_credentials(*keys)
        session: Any = boto3.Session(botocore_session=inner, region_name=region)
    else:
        ask = access.ask_for_code if access else nobody
        own = Access(environment, profile, "the state's backend: profile", ask, files) if profile or files else access
        session = (own or Access(environment)).session(region or "")
    return assuming(session, role.arn, role.given, role.endpoint) if role else session


class S3Object:
    """The object `key` of `bucket`, through a boto3 `s3` client.

    `written` is how the bucket's policy wants objects to be written (encryption, ACL), `owner` the account that the
    bucket must belong to.
    """

    def __init__(
        self, client: Any, bucket: str, key: str, *, written: Mapping[str, Any] | None = None, owner: str = ""
    ) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key} | ({"ExpectedBucketOwner": owner} if owner else {})
        self._written = dict(written or {})
        self._read = {name: value for name, value in self._written.items() if name.startswith("SSECustomer")}

    @property
    def place(self) -> str:
        """Its URL."""
        return f"s3://{self._where['Bucket']}/{self._where['Key']}"

    def read(self) -> Read | None:
        """None: there is none."""
        try:
            said = self._client.get_object(**self._where, **self._read)
            return Read(said["Body"].read(), said["ETag"], _age(said))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise problem_of(error, "s3:GetObject") from None

    def create(self, body: bytes) -> str | None:
        """Write it if there is none; its version, or None."""
        return self._put(body, IfNoneMatch="*")

    def replace(self, body: bytes, version: str) -> str | None:
        """Write it if it is still this version; the new one, or None."""
        return self._put(body, IfMatch=version)

    def delete(self, version: str) -> None:
        """Delete it if it is still this version."""
        try:
            self._client.delete_object(**self._where, IfMatch=version)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) not in _CHANGED:
                raise problem_of(error, "s3:DeleteObject") from None

    def _put(self, body: bytes, **condition: str) -> str | None:
        try:
            how = {"ContentType": "application/json", **self._written, **condition}
            said = self._client.put_object(**self._where, Body=body, **how)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _CHANGED:
                return None
            raise problem_of(error, "s3:PutObject") from None
        return str(said["ETag"])


def _age(said: Mapping[str, Any]) -> float:
    """From the answer's own date. Without one nothing is ever old: a lock is then freed by hand."""
    date = said["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return (parsedate_to_datetime(date) - said["LastModified"]).total_seconds() if date else 0.0
