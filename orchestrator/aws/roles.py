"""The credentials of a role that is assumed for one purpose, renewed before they end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import boto3
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

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
    inner: Any = EnvironmentSession(outer.environment)
    inner._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    return boto3.Session(botocore_session=inner, region_name=region)
