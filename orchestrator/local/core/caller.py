"""Who asks for something: the signature's scope, and the marks in a User-Agent that laws know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

OBSERVER = "local-cloud-observer"
"""Of who looks at the world from outside, a test's oracle: it is told everything, and at once."""
TERRAFORM = "terraform-provider-aws"
"""Of Terraform's provider."""


@dataclass(frozen=True, slots=True)
class SignatureScope:
    """What a signature says, of its header or of a presigned URL's query; empty when there is none."""

    key: str = ""
    region: str = ""
    service: str = ""
    """The signing name."""


def scope_of(environ: WSGIEnvironment) -> SignatureScope:
    """The scope of the request's credential."""
    for text in (environ.get("HTTP_AUTHORIZATION", ""), environ.get("QUERY_STRING", "").replace("%2F", "/")):
        _, found, scope = text.partition("Credential=")
        parts = scope.split("/")
        if found and len(parts) > 3:
            return SignatureScope(str(parts[0]), str(parts[2]), str(parts[3]))
    return SignatureScope()
