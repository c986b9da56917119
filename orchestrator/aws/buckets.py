"""S3 buckets and what is in them: lists, server-side copies, versions, small documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws import batches
from orchestrator.aws.deletions import UndeletedObjects
from orchestrator.aws.pages import items, pages
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.errors import Invalid, Problem

ONE_COPY = 5 * 1024**3
"""Bytes that CopyObject takes at most; boto3's own `copy` does larger ones in parts."""
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as ListObjectsV2 shows it. `modified` in seconds since the epoch."""

    key: str
    size: int
    etag: str
    modified: float


@dataclass(frozen=True, slots=True)
class BucketState:
    """`there`: it exists and is ours; `foreign`: the name is somebody else's."""

    there: bool = False
    foreign: bool = False
    versioned: bool = False
    private: bool = False


class Buckets:
    """Through a boto3 `s3` client of `region`.

    With every call S3 is told whose the bucket must be: `owner`, an account's number. One that somebody else has made
    under the name is never read nor written, whatever its policy lets us do. Empty: nobody is expected.
    """

    def __init__(self, client: Any, region: str, owner: str = "") -> None:
        self._client = client
        self._region = region
        self._owner = owner
        self._expected: dict[str, Any] = {"ExpectedBucketOwner": owner} if owner else {}

    @property
    def _both(self) -> dict[str, Any]:
        """Of a copy, both ends."""
        return {**self._expected, "ExpectedSourceBucketOwner": self._owner} if self._owner else {}

    def named(self, prefix: str) -> tuple[str, ...]:
        """Our own account's buckets whose names begin so, in order."""
        with translated("s3:ListAllMyBuckets"):
            found = [one["Name"] for one in items(self._client, "list_buckets", "Buckets", Prefix=prefix)]
        return tuple(sorted(name for name in found if name.startswith(prefix)))

    def state(self, bucket: str) -> BucketState:
        """What it is like now."""
        try:
            self._client.head_bucket(Bucket=bucket, **self._expected)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("403", "301"):
                return BucketState(foreign=True)
            if code_of(error) in (*_GONE, "NoSuchBucket"):
                return BucketState()
            raise problem_of(error, "s3:ListBucket") from None
        with translated("s3:GetBucketVersioning"):
            versioned = self._client.get_bucket_versioning(Bucket=bucket, **self._expected).get("Status") == "Enabled"
        return BucketState(there=True, versioned=versioned, private=self._is_private(bucket))

    def _is_private(self, bucket: str) -> bool:
        try:
            said = self._client.get_public_access_block(Bucket=bucket, **self._expected)[
                "PublicAccessBlockConfiguration"
            ]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "NoSuchPublicAccessBlockConfiguration":
                return False
            raise problem_of(error, "s3:GetBucketPublicAccessBlock") from None
        return all(said.values())

    def create(self, bucket: str) -> None:
        """Make it. Raises `Invalid` when the name is taken in the world."""
        # us-east-1 is S3's default and may not be named.
        where = {} if self._region == "us-east-1" else {"LocationConstraint": self._region}
        given = {"CreateBucketConfiguration": where} if where else {}
        try:
            self._client.create_bucket(Bucket=bucket, **given)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "BucketAlreadyOwnedByYou":
                return
            if code_of(error) == "BucketAlreadyExists":
                raise Invalid(taken(bucket)) from None
            raise problem_of(error, "s3:CreateBucket") from None

    def protect(self, bucket: str, tags: Mapping[str, str]) -> None:
        """Versions are kept, the public is kept out, everything is encrypted (S3 does so by itself); and tagged."""
        everything = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        with translated("s3:PutBucketVersioning"):
            self._client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}, **self._expected
            )
        with translated("s3:PutBucketPublicAccessBlock"):
            self._client.put_public_access_block(
                Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(everything, True), **self._expected
            )
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        with translated("s3:PutBucketTagging"):
            self._client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs}, **self._expected)

    def tags(self, bucket: str) -> Mapping[str, str]:
        """The bucket's."""
        try:
            said = self._client.get_bucket_tagging(Bucket=bucket, **self._expected)["TagSet"]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("NoSuchTagSet", "NoSuchBucket"):
                return {}
            raise problem_of(error, "s3:GetBucketTagging") from None
        return {tag["Key"]: tag["Value"] for tag in said}

    def objects(self, bucket: str, prefix: str = "") -> tuple[Stored, ...]:
        """Every object under the prefix, in order of their keys."""
        with translated("s3:ListBucket"):
            found = items(self._client, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix, **self._expected)
            return tuple(map(_stored, found))

    def prefixes(self, bucket: str) -> tuple[str, ...]:
        """The folders at the top, each with its slash."""
        with translated("s3:ListBucket"):
            found = items(
                self._client, "list_objects_v2", "CommonPrefixes", Bucket=bucket, Delimiter="/", **self._expected
            )
            return tuple(raw["Prefix"] for raw in found)

    def copy(self, source: str, found: Stored, target: str, key: str) -> bool:
        """Copy one object without its bytes passing here. False: it was deleted or changed since it was listed."""
        where = {"Bucket": source, "Key": found.key}
        try:
            if found.size > ONE_COPY:
                # boto3's copy in parts lets the target's owner be expected alone, so the source's is asked for before.
                self._client.head_bucket(Bucket=source, **self._expected)
                self._client.copy(where, target, key, ExtraArgs=self._expected)
            else:
                self._client.copy_object(
                    CopySource=where,
                    CopySourceIfMatch=f'"{found.etag}"',
                    Bucket=target,
                    Key=key,
                    TaggingDirective="COPY",
                    **self._both,
                )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE | _CHANGED:
                return False
            raise problem_of(error, "s3:GetObject and s3:PutObject") from None
        return True

    def sha256(self, bucket: str, key: str) -> str:
        """Of the object's bytes, read in pieces; empty: there is no such object."""
        digest = hashlib.sha256()
        try:
            body = self._client.get_object(Bucket=bucket, Key=key, **self._expected)["Body"]
            for piece in body.iter_chunks(1024 * 1024):
                digest.update(piece)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE:
                return ""
            raise problem_of(error, "s3:GetObject") from None
        return digest.hexdigest()

    def read(self, bucket: str, key: str) -> str | None:
        """A small text; None: there is none."""
        try:
            return str(self._client.get_object(Bucket=bucket, Key=key, **self._expected)["Body"].read().decode())
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in (*_GONE, "NoSuchBucket"):
                return None
            raise problem_of(error, "s3:GetObject") from None

    def write(self, bucket: str, key: str, text: str) -> None:
        """Put a small text."""
        with translated("s3:PutObject"):
            self._client.put_object(
                Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json", **self._expected
            )

    def upload_url(self, bucket: str, key: str, seconds: int) -> str:
        """With it anybody may put this one object, for so long: a secret. S3 takes 5 GB at most that way.

        Only for a bucket that a call of ours has found to be `owner`'s: what is expected can't be a part of the URL.

        The content type has to be sent as it is signed: `application/octet-stream`.
        """
        return self._signed("put_object", bucket, key, seconds, ContentType="application/octet-stream")

    def download_url(self, bucket: str, key: str, seconds: int) -> str:
        """With it anybody may read this one object, for so long: a secret."""
        return self._signed("get_object", bucket, key, seconds)

    def _signed(self, call: str, bucket: str, key: str, seconds: int, **more: str) -> str:
        given = {"Bucket": bucket, "Key": key, **more}
        return str(self._client.generate_presigned_url(call, Params=given, ExpiresIn=seconds))

    def versions(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Key and version of everything, delete markers too."""
        with translated("s3:ListBucketVersions"):
            for page in pages(self._client, "list_object_versions", Bucket=bucket, Prefix=prefix, **self._expected):
                for raw in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    yield raw["Key"], raw["VersionId"]

    def delete(self, bucket: str, wanted: Iterable[tuple[str, str]]) -> int:
        """Delete these; a version of "" deletes the object as it is now. How many.

        S3 says of each object whether it was deleted, in an answer that is no error (200). All are tried; then what
        was not deleted is raised, a problem for each reason, with the objects' names.
        """
        count, kept = 0, UndeletedObjects(bucket)
        for some in batches.of("delete_objects", "Objects", wanted):
            asked = [{"Key": key, **({"VersionId": version} if version else {})} for key, version in some]
            for refused in self._delete(bucket, asked):
                kept.note(refused)
            count += len(some)
        kept.raise_if_any()
        return count

    def _delete(self, bucket: str, some: list[dict[str, str]]) -> Iterable[Mapping[str, Any]]:
        with translated("s3:DeleteObjectVersion" if "VersionId" in some[0] else "s3:DeleteObject"), batches.batched():
            said = self._client.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True}, **self._expected)
        errors: Iterable[Mapping[str, Any]] = said.get("Errors", ())
        return errors


def closed(bucket: str) -> Problem:
    """S3 doesn't let us look at it as our account's own."""
    message = (
        f"the bucket {bucket} belongs to another account, or this identity may not list it: nothing in it is trusted"
    )
    fix = "name a backup in a bucket of the stack's account; or allow s3:ListBucket on it"
    return Problem("backup-bucket-closed", message, bucket, fix)


def taken(bucket: str) -> Problem:
    """The name is somebody else's."""
    fix = "choose another with --backup-bucket (or ORCHESTRATE_BACKUP_BUCKET)"
    return Problem("backup-bucket-taken", f"the bucket {bucket} belongs to somebody else", bucket, fix)


def _stored(raw: Mapping[str, Any]) -> Stored:
    return Stored(raw["Key"], raw["Size"], raw["ETag"].strip('"'), raw["LastModified"].timestamp())
