"""Certificates: issued when their validation records can be resolved, and not before.

moto: a certificate is ISSUED a minute after its request, whatever the DNS says, its describing shows neither single
names' states nor why it failed, and its list has every certificate. AWS: each name's CNAME is looked up in the public
DNS; when all are there and no CAA record forbids Amazon, it is issued some minutes later; after 72 hours without it has
VALIDATION_TIMED_OUT. A list that doesn't ask for other `keyTypes` has those with RSA keys of at most 2,048 bits (ACM's
API reference, ListCertificates). It looks when it is asked, not by itself, and in the DNS of this cloud: through its
name server. Left out: a KeyAlgorithm that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from moto.acm.models import AWSCertificateManagerBackend, CertBundle

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

ISSUING_SECONDS = 60.0
"""From the first look that finds every record to ISSUED; AWS says several minutes, up to 30."""
PATIENCE_SECONDS = 72 * 3600.0
AMAZON = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
"""CAA values that let ACM issue."""
TIMEOUT = 2.0
LISTED = ("RSA_1024", "RSA_2048")
"""Algorithms of the keys that a list has unless it is asked for others."""


def install(cloud: Cloud) -> None:
    """Replace the timer by a look at the DNS."""
    plain_check, plain_describe, generate = CertBundle.check, CertBundle.describe, CertBundle.generate_cert

    def generate_cert(*arguments: Any, **options: Any) -> Any:
        bundle: Any = generate(*arguments, **options)
        bundle.requested, bundle.found, bundle.failure = cloud.pace.monotonic(), None, ""
        return bundle

    def check(self: CertBundle) -> None:
        if self.type == "AMAZON_ISSUED" and self.status == "PENDING_VALIDATION":
            _look(cloud, self)
        elif self.type != "AMAZON_ISSUED":
            plain_check(self)

    def describe(self: CertBundle) -> dict[str, Any]:
        answer = plain_describe(self)
        if self.type == "AMAZON_ISSUED":
            _tell(cloud, self, answer["Certificate"])
            if cloud.faults.active("certificate-expiring") and not _can_renew(cloud, answer["Certificate"]):
                answer["Certificate"]["NotAfter"] = (cloud.pace.now() + timedelta(days=9)).timestamp()
        return answer

    every = AWSCertificateManagerBackend.list_certificates

    def list_certificates(
        self: AWSCertificateManagerBackend, statuses: list[str], includes: dict[str, Any] | None
    ) -> Iterable[CertBundle]:
        return every(self, statuses, {"keyTypes": LISTED} | (includes or {}))

    replace(AWSCertificateManagerBackend, list_certificates=list_certificates)
    replace(CertBundle, generate_cert=staticmethod(generate_cert), check=check, describe=describe)


def _look(cloud: Cloud, bundle: Any) -> None:
    now = cloud.pace.monotonic()
    options = CertBundle.describe(bundle)["Certificate"]["DomainValidationOptions"]
    if not all(option["ValidationStatus"] == "SUCCESS" for option in options):
        bundle.found = None
        if now - bundle.requested >= cloud.pace.scaled(PATIENCE_SECONDS):
            bundle.status = "VALIDATION_TIMED_OUT"
        return
    bundle.found = now if bundle.found is None else bundle.found
    if now - bundle.found < cloud.pace.scaled(ISSUING_SECONDS):
        return
    forbidden = any(_is_forbidden(cloud, option["DomainName"]) for option in options)
    bundle.status, bundle.failure = ("FAILED", "CAA_ERROR") if forbidden else ("ISSUED", "")


def _tell(cloud: Cloud, bundle: Any, certificate: dict[str, Any]) -> None:
    """Each name's own state; a reason for a failure; no date of issue before there is one."""
    for option in certificate["DomainValidationOptions"]:
        if bundle.status == "PENDING_VALIDATION":
            option["ValidationStatus"] = "SUCCESS" if _is_there(cloud, option) else "PENDING_VALIDATION"
        else:
            option["ValidationStatus"] = "SUCCESS" if bundle.status == "ISSUED" else "FAILED"
    if bundle.status != "ISSUED":
        certificate.pop("IssuedAt", None)
    if bundle.failure:
        certificate["FailureReason"] = bundle.failure


def _is_there(cloud: Cloud, option: dict[str, Any]) -> bool:
    record = option["ResourceRecord"]
    return record["Value"].rstrip(".") in _ask(cloud, record["Name"], "CNAME")


def _can_renew(cloud: Cloud, certificate: dict[str, Any]) -> bool:
    """Every name's record is there. ACM renews within hours; here it has as soon as it is asked."""
    return all(_is_there(cloud, option) for option in certificate["DomainValidationOptions"])


def _is_forbidden(cloud: Cloud, domain: str) -> bool:
    """By the closest CAA records (RFC 8659): there are some with `issue`, and none names Amazon."""
    name = domain.removeprefix("*.")
    while name:
        issuers = [said.split(maxsplit=2) for said in _ask(cloud, name, "CAA")]
        allowed = [value.strip('"').partition(";")[0].strip() for _flags, tag, value in issuers if tag == "issue"]
        if allowed:
            return AMAZON.isdisjoint(allowed)
        name = name.partition(".")[2]
    return False


def _ask(cloud: Cloud, name: str, kind: str) -> frozenset[str]:
    """The records' values as text; none when nobody answers."""
    host, _, port = cloud.resolver.rpartition(":")
    if not host:
        return frozenset()
    try:
        query = dns.message.make_query(name, kind)
        response, _tcp = dns.query.udp_with_fallback(query, host, timeout=TIMEOUT, port=int(port))
    except (OSError, dns.exception.DNSException):
        return frozenset()
    wanted = dns.rdatatype.from_text(kind)
    return frozenset(str(r).rstrip(".") for rrset in response.answer if rrset.rdtype == wanted for r in rrset)
