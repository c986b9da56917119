"""AWS's partitions: accounts, ARNs and names of one are nothing to another. Pure.

Source: `partitions.json` of botocore, with which a test compares it.
"""

from __future__ import annotations

from collections.abc import Mapping

COMMERCIAL = "aws"
REGIONS: Mapping[str, str] = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
"""How the names of a partition's regions begin."""
SUFFIXES = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "sc2s.sgov.gov",
)
"""How the DNS names end that AWS gives."""


def partition_of(region: str) -> str:
    """The partition of a region, known or not: `aws` without a prefix of another."""
    return next((name for prefix, name in REGIONS.items() if region.startswith(prefix)), COMMERCIAL)


def partition_in(arn: str) -> str:
    """The partition that an ARN names."""
    return arn.split(":")[1]
