"""TLS to the database server: who may have signed its certificate, and what it means when it can't be trusted.

Shipped are RDS's roots of the regions that are in use (rds-authorities.pem, see scripts/rds_authorities.py). They are
valid until 2061 and longer. A server of one's own has another authority: a setting names its file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import OrchestratorError, Problem

SHIPPED = Path(__file__).with_name("rds-authorities.pem")
MODE = "verify-full"
METHOD = "scram-sha-256"
"""How we let a server ask for a password (libpq's require_auth, from 16 on): none of the others hides it from him who
only pretends to be the server."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Certificates of authorities, as PEM; `file` where somebody named one, which outranks all else."""

    pem: str
    file: Path | None = None


def authorities(region: str, file: Path | None) -> Authorities:
    """Those of the file, else RDS's of the region (none where we ship none: GovCloud, China, new regions)."""
    if file:
        return Authorities(file.read_text(encoding="utf-8", errors="replace"), file)
    certificates = SHIPPED.read_text(encoding="ascii").split("\n# ")[1:]
    ours = [one.partition("\n")[2] for one in certificates if one.startswith(f"Amazon RDS {region} ")]
    return Authorities("".join(ours))


_OF_YOUR_OWN = "for a server of your own, name the PEM file of its CAs: --database-ca-file"
_REFUSALS = (
    (
        r"certificate verify failed|unable to get (local )?issuer",
        "database-authority-unknown",
        "its certificate was not issued by a CA known here, or has expired",
        f"orchestrate's bundle of RDS's CAs may be older than the certificate: update it; {_OF_YOUR_OWN}",
    ),
    (
        r"does not match host name|certificate for .* does not match",
        "database-certificate-mismatch",
        "its certificate is for another host",
        "`database.host` must be a name on the certificate: RDS's own endpoint, not an alias or an address",
    ),
    (
        r"server does not support SSL",
        "database-without-tls",
        "it doesn't offer TLS, and a password is never sent unencrypted",
        "turn TLS on in the server (ssl = on, with a certificate for its name)",
    ),
    (
        r"root certificate file .* does not exist|could not read root certificate file",
        "database-authorities-missing",
        "the CA that signs its certificate is not known",
        "name a PEM file: AWS's bundle for the region (global-bundle.pem), or your CA's: --database-ca-file",
    ),
    (
        r"unsupported protocol|wrong version number|protocol version|no protocols available|handshake failure",
        "database-tls-refused",
        "it has no TLS version in common with this client",
        "let the server speak TLS 1.2 (ssl_min_protocol_version), and check that nothing else answers on its port",
    ),
    (
        r"authentication method requirement",
        "database-password-not-scram",
        "it asks for the password in a way that would reveal it",
        "set password_encryption = scram-sha-256 (parameter group), then set the password again",
    ),
)
"""Words of libpq (untranslated on RDS) and OpenSSL, what they mean, and what repairs it: no waiting does."""


def refusal(said: str) -> OrchestratorError | None:
    """Why the server can't be trusted with a password; None: that is not what was said."""
    for pattern, code, meaning, fix in _REFUSALS:
        if re.search(pattern, said):
            message = f"the database server can't be trusted: {meaning} ({said})"
            return OrchestratorError(Problem(code, message, "tenant-databases", fix))
    return None
