"""The account that is tried: who we are in it."""

from __future__ import annotations

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

    def zone(self, name: str) -> str:
        """The id of the public hosted zone of this name. Raises AccountError unless there is one."""
        pages = self.client("route53").get_paginator("list_hosted_zones").paginate()
        public = [one for one in pages.search("HostedZones[]") if not one["Config"]["PrivateZone"]]
        found = [one["Id"].rpartition("/")[2] for one in public if one["Name"] == f"{name}."]
        if len(found) != 1:
            raise AccountError(f"the account has {len(found) or 'no'} public zones {name} in Route 53, not one")
        return str(found[0])

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

    def tagged(self, stack: str) -> list[str]:
        """ARNs of everything that bears the stack's tag, as AWS's index of tags has it: it forgets late."""
        tagging = self.client("resourcegroupstaggingapi").get_paginator("get_resources")
        found = tagging.paginate(TagFilters=[{"Key": "Stack", "Values": [stack]}])
        return sorted(found.search("ResourceTagMappingList[].ResourceARN"))
