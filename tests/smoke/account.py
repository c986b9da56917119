"""The account that is tried: who we are in it, and what a stack has left there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import trustme
from botocore.exceptions import BotoCoreError, ClientError


class AccountError(Exception):
    """The account can't be used; the message says why."""


@dataclass(frozen=True)
class Account:
    """By the credentials of the environment."""

    session: boto3.Session
    id: str
    arn: str

    @classmethod
    def of(cls, region: str) -> Account:
        """Raises AccountError without usable credentials."""
        session = boto3.Session(region_name=region)
        try:
            identity = session.client("sts").get_caller_identity()
        except (ClientError, BotoCoreError) as error:
            raise AccountError(f"no AWS account: {error}") from None
        return cls(session, identity["Account"], identity["Arn"])

    def client(self, service: str) -> Any:
        """boto3's."""
        make: Any = self.session.client
        return make(service)

    def import_certificate(self, ca: trustme.CA, hostname: str, stack: str) -> str:
        """A certificate of our own authority; its ARN."""
        leaf = ca.issue_cert(hostname)
        answer = self.client("acm").import_certificate(
            Certificate=leaf.cert_chain_pems[0].bytes(),
            PrivateKey=leaf.private_key_pem.bytes(),
            CertificateChain=ca.cert_pem.bytes(),
            Tags=[{"Key": "Stack", "Value": stack}],
        )
        return str(answer["CertificateArn"])

    def forget_backups(self, stack: str) -> Iterator[str]:
        """Delete snapshots and buckets that backups of this stack made; says what."""
        rds, ec2, s3 = self.client("rds"), self.client("ec2"), self.client("s3")
        pages = rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
        for one in pages.search("DBSnapshots[]"):
            if one["DBInstanceIdentifier"] == f"{stack}-postgres":
                rds.delete_db_snapshot(DBSnapshotIdentifier=one["DBSnapshotIdentifier"])
                yield f"database snapshot {one['DBSnapshotIdentifier']}"
        ours = [{"Name": "tag:Stack", "Values": [stack]}]
        for one in (
            ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=ours).search("Snapshots[]")
        ):
            ec2.delete_snapshot(SnapshotId=one["SnapshotId"])
            yield f"volume snapshot {one['SnapshotId']}"
        for one in s3.list_buckets()["Buckets"]:
            if one["Name"].startswith(f"{stack}-backups-"):
                self._empty(one["Name"])
                s3.delete_bucket(Bucket=one["Name"])
                yield f"bucket {one['Name']}"

    def _empty(self, bucket: str) -> None:
        s3 = self.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            objects = [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            if objects:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})

    def forget_certificates(self, stack: str) -> Iterator[str]:
        """Delete what `import_certificate` brought for this stack; says what."""
        acm = self.client("acm")
        for one in acm.get_paginator("list_certificates").paginate().search("CertificateSummaryList[]"):
            tags = acm.list_tags_for_certificate(CertificateArn=one["CertificateArn"])["Tags"]
            if {"Key": "Stack", "Value": stack} in [{"Key": tag["Key"], "Value": tag.get("Value")} for tag in tags]:
                acm.delete_certificate(CertificateArn=one["CertificateArn"])
                yield f"certificate {one['CertificateArn']}"

    def left(self, stack: str) -> list[str]:
        """ARNs of everything that bears the stack's tag and is not on its way out."""
        tagging = self.client("resourcegroupstaggingapi").get_paginator("get_resources")
        found = tagging.paginate(TagFilters=[{"Key": "Stack", "Values": [stack]}]).search("ResourceTagMappingList[]")
        return sorted(one["ResourceARN"] for one in found if not self._is_going(one["ResourceARN"]))

    def _is_going(self, arn: str) -> bool:
        """AWS lists what was terminated, deregistered or deleted for an hour or longer."""
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        if kind == "instance":
            found = self.client("ec2").describe_instances(InstanceIds=[name])["Reservations"]
            return all(one["State"]["Name"] in ("shutting-down", "terminated") for r in found for one in r["Instances"])
        ecs = self.client("ecs")
        if kind == "cluster":
            return all(one["status"] == "INACTIVE" for one in ecs.describe_clusters(clusters=[arn])["clusters"])
        if kind == "service":
            cluster = name.partition("/")[0]
            if self._is_going(f"{arn.partition(':service/')[0]}:cluster/{cluster}"):
                return True
            found = ecs.describe_services(cluster=cluster, services=[arn])["services"]
            return all(one["status"] in ("DRAINING", "INACTIVE") for one in found)
        return kind == "task-definition"
