"""AWS Certificate Manager: a certificate's state, and the DNS records that prove the names are ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of
from orchestrator.errors import Invalid, Problem

PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"


@dataclass(frozen=True, slots=True)
class Validation:
    """One name of the certificate. The record is empty for some seconds after the request. `status` is ACM's word."""

    hostname: str
    status: str
    record: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class AcmCertificate:
    """`status` is ACM's word, `failure` its reason (`CAA_ERROR` …); `not_after` only for what is issued."""

    arn: str
    status: str
    validations: tuple[Validation, ...] = ()
    failure: str = ""
    method: str = "DNS"
    not_after: datetime | None = None


class Acm:
    """Certificates through a boto3 `acm` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def certificate(self, arn: str) -> AcmCertificate:
        """Its state now. Raises `Invalid` when there is none."""
        try:
            found = self._client.describe_certificate(CertificateArn=arn)["Certificate"]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("ResourceNotFoundException", "InvalidArnException", "ValidationException"):
                fix = "check `certificate.arn` in the contract, the region and the account"
                raise Invalid(Problem("certificate-missing", f"ACM has no certificate {arn}", arn, fix)) from None
            raise problem_of(error, "acm:DescribeCertificate") from None
        options = found.get("DomainValidationOptions", ())
        return AcmCertificate(
            arn=arn,
            status=found["Status"],
            validations=tuple(sorted(map(_validation, options), key=lambda one: one.hostname)),
            failure=found.get("FailureReason", ""),
            method=next((option.get("ValidationMethod", "DNS") for option in options), "DNS"),
            not_after=found.get("NotAfter") if found["Status"] == ISSUED else None,
        )


def _validation(option: dict[str, Any]) -> Validation:
    record = option.get("ResourceRecord", {})
    status = option.get("ValidationStatus", "")
    return Validation(option["DomainName"], status, record.get("Name", ""), record.get("Value", ""))
