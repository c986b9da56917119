"""Somebody put a login provider before the tenant: every visitor without a session is sent there."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

PROVIDER = {
    "Issuer": "https://login.example.com",
    "AuthorizationEndpoint": "https://login.example.com/authorize",
    "TokenEndpoint": "https://login.example.com/token",
    "UserInfoEndpoint": "https://login.example.com/userinfo",
    "ClientId": "onyx",
    "ClientSecret": "not-a-secret",
}


def _protect(console: Console) -> Iterator[Undo]:
    action = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": PROVIDER}
    yield from entrances.lead(console, action, first=True)


FAULT = meddled("login-required", "visitors are sent to a login provider", "", _protect, restarts=False)
