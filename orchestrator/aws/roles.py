"""The credentials of a role that is assumed for one purpose, renewed before they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    AssumeRoleWithWebIdentityCredentialFetcher,
    DeferredRefreshableCredentials,
)

from orchestrator.aws.environment import EnvironmentSession

NAME = "onyx-orchestrator"
"""The session's name in the other account's CloudTrail."""


def assuming(session: Any, role_arn: str, given: Mapping[str, Any] | None = None, endpoint: str | None = None) -> Any:
    """A boto3 session in that role, entered with the credentials of `session` when it is first used.

    `given` is what else AssumeRole is told (ExternalId …), `endpoint` STS's, if it is not the usual one.
    """
    region, outer = session.region_name, session._session
    fetcher: Any = AssumeRoleCredentialFetcher(
        client_creator=partial(outer.create_client, region_name=region, endpoint_url=endpoint),
        source_credentials=session.get_credentials(),
        role_arn=role_arn,
        extra_args={"RoleSessionName": NAME, **(given or {})},
    )
    return _in_role("assume-role", fetcher, outer.environment, region)


def with_web_identity(
    environment: Mapping[str, str],
    region: str | None,
    role_arn: str,
    token: Callable[[], str],
    *,
    given: Mapping[str, Any],
    endpoint: str | None,
) -> Any:
    """A boto3 session in that role, which is given to whoever shows the token: no other credentials are needed.

    The token is read again each time the session is renewed, since whoever issues it puts a new one in its place.
    """
    create = EnvironmentSession(environment).create_client
    fetcher: Any = AssumeRoleWithWebIdentityCredentialFetcher(
        client_creator=partial(create, region_name=region, endpoint_url=endpoint),
        web_identity_token_loader=token,
        role_arn=role_arn,
        extra_args={"RoleSessionName": NAME, **given},
    )
    return _in_role("assume-role-with-web-identity", fetcher, environment, region)


def _in_role(method: str, fetcher: Any, environment: Mapping[str, str], region: str | None) -> Any:
    inner: Any = EnvironmentSession(environment)
    inner._credentials = DeferredRefreshableCredentials(method=method, refresh_using=fetcher.fetch_credentials)
    return boto3.Session(botocore_session=inner, region_name=region)
