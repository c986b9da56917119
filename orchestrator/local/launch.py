"""What Fargate does before a container runs: reads its secrets, opens its log stream, pulls its image.

Real: the secrets come from moto's Secrets Manager, if the execution role's policies allow it. Simulated: an image
exists unless its tag is `does-not-exist` (or the fault `image-pull` is on). Left out: SSM parameters as secrets,
private registries, the architecture of images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends

from orchestrator.local.cloud import ACCOUNT
from orchestrator.local.container_log import log_target
from orchestrator.local.permissions import allows

Definition = Mapping[str, Any]
"""One entry of a task definition's containerDefinitions."""

MISSING_TAG = "does-not-exist"
_NO_SECRET = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
_ASM = _NO_SECRET + "unable to retrieve secret from asm: service call has been retried 1 time(s): "


class LaunchFailed(Exception):
    """The task never ran. `container` is the one at fault where there is one."""

    def __init__(self, reason: str, container: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container


def environments(
    containers: Sequence[Definition], execution_role: str, task_id: str, region: str
) -> dict[str, dict[str, str]]:
    """Each container's environment, its secrets read under the execution role. Raises LaunchFailed."""
    return {
        container["name"]: {
            **{pair["name"]: pair.get("value", "") for pair in container.get("environment") or []},
            **{
                secret["name"]: _secret(secret["valueFrom"], execution_role, task_id, region)
                for secret in container.get("secrets") or []
            },
        }
        for container in containers
    }


def _secret(value_from: str, execution_role: str, task_id: str, region: str) -> str:
    """`arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME[:json-key[:stage[:version]]]` → its value."""
    parts = value_from.split(":")
    arn, rest = ":".join(parts[:7]), [*parts[7:], "", "", ""]
    json_key, stage, version = rest[0], rest[1], rest[2]
    if len(parts) >= 4 and parts[3]:
        region = parts[3]
    _authorise(arn, execution_role, task_id)
    store: Any = secretsmanager_backends[ACCOUNT][region]  # moto says str where it takes None
    try:
        found = store.get_secret_value(arn, version or None, stage or None)
    except JsonRESTError as error:
        detail = f"{error.error_type}: {error.message}"
        raise LaunchFailed(f"{_ASM}failed to fetch secret {arn} from secrets manager: {detail}") from None
    text = str(found.get("SecretString", ""))
    return _field(text, json_key, arn) if json_key else text


def _authorise(arn: str, execution_role: str, task_id: str) -> None:
    action = "secretsmanager:GetSecretValue"
    if allows(execution_role, action, arn):
        return
    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{execution_role.rsplit('/', 1)[-1]}/{task_id}"
    raise LaunchFailed(
        f"{_ASM}failed to fetch secret {arn} from secrets manager: AccessDeniedException: User: {user} is not "
        f"authorized to perform: {action} on resource: {arn} because no identity-based policy allows the {action} "
        "action"
    )


def _field(text: str, key: str, arn: str) -> str:
    try:
        value = json.loads(text)[key]
    except ValueError:
        raise LaunchFailed(
            f"{_NO_SECRET}invalid character found in the secret {arn}: it is not JSON, and a JSON key was asked for"
        ) from None
    except (KeyError, TypeError):
        raise LaunchFailed(f"{_ASM}retrieved secret from Secrets Manager did not contain json key {key}") from None
    return str(value)


def open_logs(containers: Sequence[Definition], task_id: str, region: str) -> None:
    """Every container's log stream exists afterwards. Raises LaunchFailed where its group does not."""
    for container in containers:
        target = log_target(container, task_id, region)
        if target is None:
            continue
        options = container["logConfiguration"]["options"]
        if not target.exists and options.get("awslogs-create-group") == "true":
            logs_backends[ACCOUNT][target.region].create_log_group(target.group, {})
        if not target.exists:
            raise LaunchFailed(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not "
                "exist. : exit status 1"
            )
        target.open()


def check_images(containers: Sequence[Definition], *, pull_fails: bool) -> None:
    """Raises LaunchFailed for the first image that can't be pulled."""
    for container in containers:
        name = _full_name(str(container["image"]))
        if pull_fails or name.endswith(f":{MISSING_TAG}"):
            raise LaunchFailed(
                f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                f"{name}: {name}: not found",
                str(container["name"]),
            )


def _full_name(image: str) -> str:
    """Docker Hub's names in full: `nginx` is `docker.io/library/nginx:latest`."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in first and ":" not in first:
        image = f"docker.io/{image}"
    return image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"
