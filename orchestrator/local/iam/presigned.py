"""Who signed a URL of S3: `--enforce-iam` knows callers by the Authorization header, which such a request has not.

The signature (version 4) is calculated anew by botocore, and expires. Left out: version 2, session tokens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from moto.iam.access_control import CreateAccessKeyFailure, IAMUserAccessKey
from moto.s3.exceptions import S3AccessDeniedError, S3InvalidAccessKeyIdError, S3SignatureDoesNotMatchError
from moto.utilities.utils import get_partition

SIGNATURE = "X-Amz-Signature"


def is_presigned(response: Any) -> bool:
    """Whether the query says who asks."""
    return f"{SIGNATURE}=" in response.parsed_url.query


def key_of(response: Any) -> str:
    """The id of the access key that signed it."""
    return str(dict(parse_qsl(response.parsed_url.query))["X-Amz-Credential"]).partition("/")[0]


def signer(response: Any) -> Any:
    """Moto's access key. Raises S3's errors: an unknown key, another signature, a URL that has expired."""
    said = dict(parse_qsl(response.parsed_url.query))
    _, _, region, *_ = said["X-Amz-Credential"].split("/")
    try:
        found = IAMUserAccessKey(response.current_account, get_partition(region), key_of(response), {})
    except CreateAccessKeyFailure:
        raise S3InvalidAccessKeyIdError from None
    auth = S3SigV4QueryAuth(found.create_credentials(), "s3", region)
    if not compare_digest(_signature(response, said, auth), said[SIGNATURE]):
        raise S3SignatureDoesNotMatchError
    begun = datetime.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) > begun + timedelta(seconds=int(said["X-Amz-Expires"])):
        raise S3AccessDeniedError
    return found


def _signature(response: Any, said: dict[str, str], auth: Any) -> str:
    query = "&".join(one for one in response.parsed_url.query.split("&") if not one.startswith(f"{SIGNATURE}="))
    headers = {name: response.headers[name] for name in said["X-Amz-SignedHeaders"].split(";")}
    request = AWSRequest(response.method, f"http://{response.headers['host']}{response.raw_path}?{query}", headers)
    request.context["timestamp"] = said["X-Amz-Date"]
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
