"""S3: DeleteObjects answers 200, and says of each object by itself whether it was deleted.

moto asks the bucket's policy for `s3:DeleteObject` even where a version is named, leaves `VersionId` out of the errors,
lists what was deleted although `Quiet` was asked for; and with IAM enforced the first object that may not be deleted
refused the whole call. AWS ("DeleteObjects" in S3's API reference): the others are deleted, each refusal is an `Error`.
Left out: MFA delete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xmltodict
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import MalformedXML
from moto.s3.responses import S3Response

from orchestrator.local.core.cloud import PARTITION, Cloud
from orchestrator.local.core.corrections import replace

Named = tuple[str, str]
"""A key, and a version (empty: none was named)."""
DENIED = "denied_objects"
"""On a response, what IAM refuses of its objects: {(key, version): AWS's words}."""


def install(_cloud: Cloud) -> None:
    """Object by object."""
    replace(S3Response, _bucket_response_delete_keys=_answer)


def _answer(response: Any, bucket_name: str, authenticated: bool = True) -> TYPE_RESPONSE:
    asked = xmltodict.parse(response.body, force_list=("Object",), strip_whitespace=False)["Delete"]
    objects: Sequence[Mapping[str, Any]] = asked.get("Object", [])
    if not objects:
        raise MalformedXML
    deleted, errors = [], []
    for one in objects:
        key, version = one["Key"], one.get("VersionId") or ""
        why = _refusal(response, bucket_name, (key, version)) if authenticated else "Access Denied"
        said = {"Key": key, **({"VersionId": version} if version else {})}
        done = [] if why else response.backend.delete_objects(bucket_name, [one], _bypasses(response))[0]
        if done:
            marker = done[0][2]
            deleted.append({**said, **({"DeleteMarker": True, "DeleteMarkerVersionId": marker} if marker else {})})
        else:
            why = why or "Access Denied because object protected by object lock."
            errors.append({**said, "Code": "AccessDenied", "Message": why})
    response.data["Action"] = "DeleteObjects"
    quiet = str(asked.get("Quiet", "")).lower() == "true"
    return response.serialized(ActionResult({"Deleted": [] if quiet else deleted, "Errors": errors}))  # type: ignore[no-any-return]


def _bypasses(response: Any) -> bool:
    return bool(response.headers.get("x-amz-bypass-governance-retention", "").lower() == "true")


def _refusal(response: Any, bucket: str, named: Named) -> str:
    """Why this object may not be deleted; empty: it may."""
    key, version = named
    action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
    said = response.backend.get_bucket(bucket).get_permission(action, f"arn:{PARTITION}:s3:::{bucket}/{key}")
    if said == PermissionResult.DENIED:
        return "Access Denied"
    denied: Mapping[Named, str] = getattr(response, DENIED, {})
    return denied.get(named, "")
