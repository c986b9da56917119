"""IAM on every call, with `--enforce-iam`: the caller's policies decide, and a refusal is AWS's own.

moto can enforce too (INITIAL_NO_AUTH_ACTION_COUNT), but asks for every action on `*` (S3's apart), judges no condition
and answers `AccessDenied` or a bare 403 in every protocol. AWS asks for the ARN (`needs`), and its code depends on the
service: `AccessDeniedException`, `AccessDenied`, `UnauthorizedOperation`. Principals, signatures and the matching of
statements are moto's. The account's own key (`local`) is the root user: it may do everything. What runs on an instance
acts in the instance's role.

Left out: what `needs`, `sealed`, `conditions` and `permissions` leave out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote

import xmltodict
from moto.acm.models import acm_backends
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.models import ec2_backends
from moto.iam.access_control import IAMRequest, IAMRequestBase, S3IAMRequest
from moto.s3.exceptions import S3AccessDeniedError, S3ClientError
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse
from werkzeug.exceptions import HTTPException

from orchestrator.local.core.cloud import ACCESS_KEY, ACCOUNT, PARTITION, Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.core.wire import ASKED
from orchestrator.local.ec2.lent_keys import WithheldKeys
from orchestrator.local.iam import presigned
from orchestrator.local.iam.audit import Audit
from orchestrator.local.iam.instances import role_of
from orchestrator.local.iam.needs import SIGNED_AS, CalledOperation, RequiredPermission, needs, secret_arn
from orchestrator.local.iam.permissions import policies_of, verdict
from orchestrator.local.iam.s3_needs import S3Call, needs_of_s3
from orchestrator.local.iam.sealed import REFUSED, asked_of_key_of, asked_of_keys, asked_to_start
from orchestrator.local.s3.moto_deletes import DENIED

ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity"})
ROOT = f"arn:{PARTITION}:iam::{ACCOUNT}:root"
_JSON = frozenset({"acm", "ecs", "logs", "secretsmanager", "ssm", "application-autoscaling", "events", "kms"})
_WHY = {
    "implicitDeny": "because no identity-based policy allows the {} action",
    "explicitDeny": "with an explicit deny in an identity-based policy",
}
_IN_JSON = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """Who signed, and the policies that count for them; None: the root user."""

    arn: str
    policies: Sequence[Any] | None


def install(cloud: Cloud) -> None:
    """Every service's calls pass here; nothing is asked unless the cloud enforces."""
    if not cloud.enforces_iam:
        return
    replace(BaseResponse, call_action=_guarded(cloud, BaseResponse.call_action))
    replace(ActionAuthenticatorMixin, _authenticate_and_authorize_s3_action=_s3(cloud))
    batch = SecretsManagerResponse.batch_get_secret_value
    replace(SecretsManagerResponse, batch_get_secret_value=_secret_by_secret(cloud, batch))


def _guarded(cloud: Cloud, call_action: Callable[[Any], TYPE_RESPONSE]) -> Callable[[Any], TYPE_RESPONSE]:
    def call(response: Any) -> TYPE_RESPONSE:
        made = _call(response)
        try:
            caller = _caller(response, IAMRequest)
        except HTTPException as refused:
            return _refused(response, *_rejection(made.service, refused))
        for need in map(_with_tags, needs(made)):
            decided = _decide(cloud, caller, need)
            if decided != "allowed":
                return _refused(response, *_denial(made.service, caller, need, decided))
        if not all(_decide(cloud, caller, need) == "allowed" for need in asked_of_keys(made)):
            return _refused(response, 400, "AccessDeniedException", REFUSED)
        for instance, lent in asked_to_start(made).items():
            opened = all(_decide(cloud, caller, one) == "allowed" for one in lent)
            withheld = cloud.shared(WithheldKeys).instances
            withheld.discard(instance) if opened else withheld.add(instance)
        return call_action(response)

    return call


def _with_tags(need: RequiredPermission) -> RequiredPermission:
    """What the resource's tags say: of the kinds by whose tags policies tell a stack's own."""
    tags = {key.lower(): (value,) for key, value in _tags(need.resource).items()}
    common = {f"aws:resourcetag/{key}": value for key, value in tags.items()}
    ssms = {f"ssm:resourcetag/{key}": value for key, value in tags.items()} if need.action.startswith("ssm:") else {}
    return dataclasses.replace(need, context={**need.context, **common, **ssms}) if tags else need


def _tags(arn: str) -> Mapping[str, str]:
    _, _, service, region, _, name, *_ = [*arn.split(":", 5), *[""] * 6]
    kind, _, identifier = name.partition("/")
    if service == "ec2" and kind in ("instance", "snapshot") and "-" in identifier:
        found = ec2_backends[ACCOUNT][region].describe_tags({"resource-id": [identifier]})
        return {one["key"]: one["value"] for one in found}
    if service == "secretsmanager":
        secrets = secretsmanager_backends[ACCOUNT][region].secrets
        secret = next((one for one in secrets.values() if one.arn == arn), None)
        return {one["Key"]: one["Value"] for one in secret.tags or ()} if secret else {}
    if service == "acm":
        certificate = acm_backends[ACCOUNT][region]._certificates.get(arn)
        return {key: value or "" for key, value in certificate.tags.items()} if certificate else {}
    return {}


def _s3(cloud: Cloud) -> Callable[..., None]:
    def authorise(response: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        caller = _caller(response, S3IAMRequest)
        made = _s3_call(response, bucket_name or "", key_name or "")
        asked, denied = list(needs_of_s3(made)), dict[tuple[str, str], str]()
        if key_name and asked[0].action == "s3:GetObject" and _is_missing(response, bucket_name, key_name):
            # Who may not list is not told that it is missing.
            asked.append(RequiredPermission("s3:ListBucket", f"arn:{PARTITION}:s3:::{bucket_name}"))
        for number, need in enumerate(asked):
            decided = _decide(cloud, caller, need)
            if decided == "allowed":
                continue
            words = _words(caller, need, decided)
            if not made.deleted:
                raise _S3DeniedError(words)
            denied[made.deleted[number]] = words
        setattr(response, DENIED, denied)

    return authorise


def _s3_call(response: Any, bucket: str, key: str) -> S3Call:
    query = parse_qs(response.parsed_url.query, keep_blank_values=True)
    deleted = []
    if response.method == "POST" and "delete" in query:
        named = xmltodict.parse(response.body, force_list=("Object",))["Delete"]["Object"]
        deleted = [(one["Key"], one.get("VersionId") or "") for one in named]
    source = unquote(response.headers.get("x-amz-copy-source", "")).partition("?")[0].lstrip("/")
    copies_tags = response.headers.get("x-amz-tagging-directive", "COPY") == "COPY"
    return S3Call(
        operation=str(response._get_action()),
        method=response.method,
        query=query,
        bucket=bucket,
        key=key,
        source=source,
        tagged=copies_tags and _has_tags(response.backend, source),
        deleted=deleted,
    )


def _has_tags(backend: Any, place: str) -> bool:
    bucket, _, key = place.partition("/")
    try:
        found = backend.get_object(bucket, key) if key else None
    except S3ClientError:  # of a copy from nowhere, S3 says so itself
        return False
    return found is not None and bool(backend.get_object_tagging(found)["Tags"])


def _is_missing(response: Any, bucket: str | None, key: str) -> bool:
    try:
        return response.backend.get_object(bucket, key) is None
    except S3ClientError:  # the bucket is missing, which everybody is told
        return False


class _AccessRefusedError(ServiceException):
    """Of no moto module: its code is taken as it is, not sought in a service's model."""


class _S3DeniedError(S3AccessDeniedError):
    """S3's code, with AWS's present wording."""

    def __init__(self, message: str) -> None:
        S3ClientError.__init__(self, "AccessDenied", message)


def _secret_by_secret(cloud: Cloud, batch: Callable[[Any], str]) -> Callable[[Any], str]:
    """BatchGetSecretValue answers for each secret that may not be read with an error of its own."""

    def answer(response: Any) -> str:
        said = json.loads(batch(response))
        caller, made = _caller(response, IAMRequest), _call(response)
        for named in response._get_param("SecretIdList", []):
            need = _with_tags(RequiredPermission("secretsmanager:GetSecretValue", secret_arn(made, named)))
            decided = _decide(cloud, caller, need)
            opened = all(_decide(cloud, caller, one) == "allowed" for one in asked_of_key_of(made, named))
            if decided != "allowed" or not opened:
                message = REFUSED if decided == "allowed" else _words(caller, need, decided)
                said["SecretValues"] = [one for one in said["SecretValues"] if named not in (one["ARN"], one["Name"])]
                said["Errors"] = [one for one in said["Errors"] if one["SecretId"] != named]
                said["Errors"].append(
                    {"SecretId": named, "ErrorCode": "AccessDeniedException", "Message": message},
                )
        return json.dumps(said)

    return answer


def _call(response: Any) -> CalledOperation:
    scope = response.headers["Authorization"].partition("Credential=")[2].split("/")
    return CalledOperation(SIGNED_AS.get(scope[3], scope[3]), response._get_action(), scope[2], response._get_param)


def _caller(response: Any, kind: type[IAMRequestBase]) -> SigningIdentity:
    """Raises moto's HTTPException (S3ClientError in S3) for a key that is unknown or a signature that is wrong."""
    from_url = presigned.is_presigned(response)
    header = response.headers.get("Authorization", "")
    key = presigned.key_of(response) if from_url else header.partition("Credential=")[2].partition("/")[0]
    if key == ACCESS_KEY:
        return SigningIdentity(ROOT, None)
    if key.startswith("i-"):
        role = role_of(response.current_account, response.region, key)
        session = f"arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{role.name if role else 'none'}/{key}"
        return SigningIdentity(session, policies_of(role) if role else ())
    if from_url:
        signer = presigned.signer(response)
        return SigningIdentity(signer.arn, signer.collect_policies())
    path, data, body = _signed(response)
    request = kind(
        account_id=response.current_account,
        method=response.method,
        path=path,
        # Of a form, moto signs these again. Of a GET (Route 53's) there is no form, though moto would sign one.
        data={} if response.method == "GET" and kind is IAMRequest else data,
        body=body,
        headers=response.headers,
        action=response._get_action(),
    )
    request.check_signature()
    return SigningIdentity(request._access_key.arn, request._access_key.collect_policies())


def _signed(response: Any) -> tuple[str, Any, Any]:
    """Path with query, form and body, as they were signed: a law may have asked moto something else."""
    asked = response.normalized_request.environ.get(ASKED)
    if asked is None:
        query = response.parsed_url.query
        return response.raw_path + (f"?{query}" if query else ""), response.data, response.raw_body
    environ, body = asked
    request = Request({**environ, "wsgi.input": BytesIO(body or b"")})
    query = request.query_string.decode()
    return request.raw_path + (f"?{query}" if query else ""), {k: [v] for k, v in request.form.items()}, body


def _decide(cloud: Cloud, caller: SigningIdentity, need: RequiredPermission) -> str:
    free = caller.policies is None or need.action in ALWAYS_ALLOWED
    decided = "allowed" if free else verdict(caller.policies or (), need.action, need.resource, need.context)
    cloud.shared(Audit).note(caller.arn, need.action, need.resource, decided)
    return decided


def _denial(service: str, caller: SigningIdentity, need: RequiredPermission, decided: str) -> tuple[int, str, str]:
    """HTTP status, code, message."""
    words = _words(caller, need, decided)
    if service == "ec2":
        return 403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {words}"
    return (400, "AccessDeniedException", words) if service in _JSON else (403, "AccessDenied", words)


def _words(caller: SigningIdentity, need: RequiredPermission, decided: str) -> str:
    where = "" if need.resource == "*" else f" on resource: {need.resource}"
    why = _WHY[decided].format(need.action)
    return f"User: {caller.arn} is not authorized to perform: {need.action}{where} {why}"


def _rejection(service: str, refused: HTTPException) -> tuple[int, str, str]:
    """An unknown key is `UnrecognizedClientException` where the protocol is JSON."""
    code = str(getattr(refused, "error_type", "SignatureDoesNotMatch"))
    message = str(getattr(refused, "message", ""))
    return (400, _IN_JSON.get(code, code), message) if service in _JSON else (refused.code or 403, code, message)


def _refused(response: Any, status: int, code: str, message: str) -> TYPE_RESPONSE:
    """In the protocol of the request."""
    _, headers, body = response.serialized(ActionResult(_AccessRefusedError(code, message)))
    headers["status"] = str(status)
    return status, headers, body
