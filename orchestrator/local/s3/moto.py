"""S3: whose a bucket is counts, and the caller may say whom it expects.

moto: every account sees every bucket, and `x-amz-expected-bucket-owner` (the source's too) is not read. AWS: another
account's bucket is 403 for whoever its policy doesn't let in, and so is any call whose expectation is wrong, whatever
the caller may do ("Verifying bucket ownership with bucket owner condition", S3 user guide). Left out: ACLs, and what a
bucket's policy says: one that has any lets every account in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from moto.core.authorization import ActionAuthenticatorMixin
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace


def install(_cloud: Cloud) -> None:
    """Asked with every call that names a bucket, after IAM has been."""
    authorise = ActionAuthenticatorMixin._authenticate_and_authorize_s3_action

    def checked(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        authorise(self, bucket_name=bucket_name, key_name=key_name)
        making = str(self._get_action()) == "CreateBucket"
        for bucket, expected in () if making else _named(self, bucket_name or ""):
            if not _lets_in(bucket, expected, self.get_current_account()):
                raise S3AccessDeniedError

    replace(ActionAuthenticatorMixin, _authenticate_and_authorize_s3_action=checked)


def _named(response: Any, bucket: str) -> Iterator[tuple[str, str]]:
    """The buckets of the call, each with whom the caller expects to own it (empty: not said)."""
    headers = response.headers
    signed = {name.lower(): values[0] for name, values in (response.querystring or {}).items()}
    name = "x-amz-expected-bucket-owner"
    yield bucket, headers.get(name, "") or signed.get(name, "")
    if source := unquote(headers.get("x-amz-copy-source", "")).lstrip("/").partition("/")[0]:
        yield source, headers.get("x-amz-source-expected-bucket-owner", "")


def _lets_in(bucket: str, expected: str, caller: str) -> bool:
    """One that doesn't exist is for the call itself to say."""
    known = s3_backends.bucket_accounts.get(bucket)
    if known is None:
        return True
    partition, owner = known
    open_to_others = bool(s3_backends[owner][partition].buckets[bucket].policy)
    return expected in ("", owner) and (caller == owner or open_to_others)
