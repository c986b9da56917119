"""Fetch AWS's bundle of RDS's root certificates anew: orchestrator/database/rds-authorities.pem, which is shipped.

`python scripts/rds_authorities.py`. Roots of regions in use are taken (self-signed, "Root CA … G1"); a root that
is there already and comes with another key is refused: AWS adds roots, it does not exchange them.
"""

from __future__ import annotations

import re
import sys
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

SOURCE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
FILE = Path(__file__).parents[1] / "orchestrator" / "database" / "rds-authorities.pem"
ROOT = re.compile(r"Amazon RDS (?!Beta|Preview)[a-z]+-[a-z-]+-\d Root CA \w+ G\d")
HEAD = """\
# The root certificates of Amazon RDS, region by region, as AWS publishes them (global-bundle.pem).
# Made by scripts/rds_authorities.py; beside each name is the SHA-256 of the certificate.
"""


def roots(bundle: bytes) -> dict[str, x509.Certificate]:
    """By name, those we take."""
    found = {one.subject.rfc4514_string(): one for one in x509.load_pem_x509_certificates(bundle)}
    named = {match[0]: one for name, one in found.items() if (match := ROOT.search(name))}
    return {name: one for name, one in named.items() if one.issuer == one.subject}


def shown(certificates: dict[str, x509.Certificate]) -> str:
    """The file."""
    parts = [
        f"\n# {name} {one.fingerprint(hashes.SHA256()).hex()}\n{one.public_bytes(Encoding.PEM).decode()}"
        for name, one in sorted(certificates.items())
    ]
    return HEAD + "".join(parts)


def main() -> int:
    """Write the file; 1 when a root was exchanged."""
    with urllib.request.urlopen(SOURCE, timeout=30) as answer:
        new = roots(answer.read())
    old = roots(FILE.read_bytes()) if FILE.exists() else {}
    exchanged = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    if exchanged:
        sys.stderr.write(f"not the same as before, nothing written: {', '.join(exchanged)}\n")
        return 1
    FILE.write_text(shown({**old, **new}), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
