"""What a visitor gets: one HTTPS request to one address, with the certificate verified for the site's name."""

from __future__ import annotations

import errno
import ipaddress
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import urllib3
from urllib3.util.ssl_match_hostname import CertificateError

TIMEOUT = urllib3.Timeout(connect=5, read=10)
LONGEST_BODY = 16_384
"""Bytes of an answer that are read: a health answer is short, and a page's beginning says whose it is."""
_NOT_VALID = (ssl.SSLCertVerificationError, CertificateError)
"""OpenSSL's word, and urllib3's for a name that the certificate does not cover."""
_NO_IPV6 = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH})


class Reached(StrEnum):
    """How far the request came."""

    ANSWERED = "answered"
    TLS_INVALID = "tls-invalid"
    TLS_REFUSED = "tls-refused"
    """The other side broke the handshake off, by an alert: it has no certificate to show, or not yet."""
    UNREACHABLE = "unreachable"
    NO_IPV6 = "no-ipv6"
    """It is an IPv6 address, and this machine has no way to any: nothing is known of the site."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`status` is the HTTP status when `reached` is `ANSWERED`, else 0; `detail` says why it went no further.

    `location` is where a redirect leads, `body` the answer's beginning. `seen_from` is empty for this machine.
    """

    address: str
    reached: Reached
    status: int = 0
    detail: str = ""
    location: str = ""
    body: str = ""
    seen_from: str = ""


@dataclass(frozen=True, slots=True)
class HttpsProbe:
    """Settings of every probe: `ca_file` (PEM) instead of the system's authorities, where given. Thread-safe."""

    port: int = 443
    ca_file: Path | None = None
    timeout: urllib3.Timeout = TIMEOUT

    def __call__(self, hostname: str, address: str, path: str = "/") -> Probe:
        """GET `path` at `address:port`, as `hostname`; a redirect is an answer. Never raises for the site's state."""
        try:
            return self._answer(hostname, address, path)
        except urllib3.exceptions.SSLError as error:
            invalid = any(isinstance(cause, _NOT_VALID) for cause in _causes(error))
            reached = Reached.TLS_INVALID if invalid else Reached.TLS_REFUSED
            return Probe(address, reached, detail=_reason(error))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reached = Reached.NO_IPV6 if _no_way(address, error) else Reached.UNREACHABLE
            return Probe(address, reached, detail=_reason(error))

    def _answer(self, hostname: str, address: str, path: str) -> Probe:
        with urllib3.HTTPSConnectionPool(
            f"[{address}]" if ":" in address else address,
            self.port,
            timeout=self.timeout,
            retries=False,
            server_hostname=hostname,
            assert_hostname=hostname,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(self.ca_file) if self.ca_file else None,
        ) as pool:
            host = hostname if self.port == 443 else f"{hostname}:{self.port}"
            response = pool.request("GET", path, headers={"Host": host}, redirect=False, preload_content=False)
            try:
                body = response.read(LONGEST_BODY, decode_content=True).decode("utf-8", "replace")
            finally:
                response.close()
            location = response.headers.get("Location", "")
            return Probe(address, Reached.ANSWERED, response.status, location=location, body=body)


def unheard(error: BaseException) -> str:
    """Why no answer came, in words, without addresses, which may hold keys: the system's own words where it has any."""
    if isinstance(error, urllib3.exceptions.LocationValueError):
        return "its address is not a URL"
    for cause in _causes(error):
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "no answer in time"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror[:1].lower() + cause.strerror[1:]
    return "no complete answer"


def _causes(error: BaseException) -> tuple[BaseException | None, ...]:
    return (error, *(one for one in error.args if isinstance(one, BaseException)), error.__cause__, error.__context__)


def _no_way(address: str, error: BaseException) -> bool:
    """Whether it is this machine that has no IPv6."""
    if ipaddress.ip_address(address).version == 4:
        return False
    inner = [cause for one in _causes(error) if one is not None for cause in _causes(one)]
    return any(isinstance(cause, OSError) and cause.errno in _NO_IPV6 for cause in inner)


def _reason(error: BaseException) -> str:
    """The certificate's own defect where there is one, without the library's wrapping."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
    return str(error) or type(error).__name__
