"""What a visitor gets: one HTTPS request to one address, with the certificate verified for the site's name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import urllib3

TIMEOUT = urllib3.Timeout(connect=5, read=10)


class Reached(StrEnum):
    """How far the request came."""

    ANSWERED = "answered"
    TLS_INVALID = "tls-invalid"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Probe:
    """`status` is the HTTP status when `reached` is `ANSWERED`, else 0; `detail` says why it went no further."""

    address: str
    reached: Reached
    status: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HttpsProbe:
    """Settings of every probe: `ca_file` (PEM) instead of the system's authorities, where given. Thread-safe."""

    port: int = 443
    ca_file: Path | None = None
    timeout: urllib3.Timeout = TIMEOUT

    def __call__(self, hostname: str, address: str) -> Probe:
        """GET / at `address:port`, as `hostname`; a redirect is an answer. Never raises for the site's state."""
        try:
            status = self._status(hostname, address)
        except urllib3.exceptions.SSLError as error:
            return Probe(address, Reached.TLS_INVALID, detail=_reason(error))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Probe(address, Reached.UNREACHABLE, detail=_reason(error))
        return Probe(address, Reached.ANSWERED, status)

    def _status(self, hostname: str, address: str) -> int:
        with urllib3.HTTPSConnectionPool(
            address,
            self.port,
            timeout=self.timeout,
            retries=False,
            server_hostname=hostname,
            assert_hostname=hostname,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(self.ca_file) if self.ca_file else None,
        ) as pool:
            host = hostname if self.port == 443 else f"{hostname}:{self.port}"
            response = pool.request("GET", "/", headers={"Host": host}, redirect=False, preload_content=False)
            response.close()
            return response.status


def _reason(error: BaseException) -> str:
    """The certificate's own defect where there is one, without the library's wrapping."""
    for cause in (error, *error.args, error.__cause__, error.__context__):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
    return str(error) or type(error).__name__
