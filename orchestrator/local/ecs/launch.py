"""What Fargate does before a container runs: reads its secrets, opens its log stream, pulls its image.

Real: the secrets come from moto's Secrets Manager, if the execution role's policies allow it, which it also needs to
write logs; without a way out of its subnet a task gets neither secrets nor images. Simulated: an image exists unless
its tag is `does-not-exist` (or a fault is on). Left out: SSM parameters as secrets, private registries, the
architecture of images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends

from orchestrator.local.core.cloud import ACCOUNT, PARTITION
from orchestrator.local.ecs.container_log import log_target
from orchestrator.local.iam.permissions import allows

Definition = Mapping[str, Any]
"""One entry of a task definition's containerDefinitions."""

MISSING_TAG = "does-not-exist"
NOT_FOUND = "{name}: not found"
RATE_LIMIT = (
    "unexpected status code https://registry-1.docker.io/v2/{path}: 429 Too Many Requests - Server message: "
    "toomanyrequests: You have reached your unauthenticated pull rate limit. "
    "https://www.docker.com/increase-rate-limit"
)
"""What a registry answers, in ECS's words: the image's full name and its path in the registry are filled in."""
_NO_SECRET = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
_ASM = _NO_SECRET + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
_NO_STREAM = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
    "create Cloudwatch log stream: "
)


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
    user = f"arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{execution_role.rsplit('/', 1)[-1]}/{task_id}"
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


def require_way_out(containers: Sequence[Definition], *, leads_out: bool) -> None:
    """Raises LaunchFailed for a task that reaches neither Secrets Manager nor a registry."""
    if leads_out:
        return
    secrets = [one["valueFrom"] for container in containers for one in container.get("secrets") or []]
    if secrets:
        raise LaunchFailed(
            f"{_NO_SECRET}unable to retrieve secret from asm: There is a connection issue between the task and AWS "
            "Secrets Manager. Check your task network configuration. failed to fetch secret "
            f"{':'.join(secrets[0].split(':')[:7])} from secrets manager: operation error Secrets Manager: "
            "GetSecretValue, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded"
        )
    name = _full_name(str(containers[0]["image"]))
    raise LaunchFailed(
        f"CannotPullContainerError: The task cannot pull {name} from the registry. There is a connection issue "
        "between the task and the registry. Check your task network configuration. : failed to do request: "
        "dial tcp 54.227.20.253:443: i/o timeout",
        str(containers[0]["name"]),
    )


def open_logs(containers: Sequence[Definition], execution_role: str, task_id: str, region: str) -> None:
    """Every container's log stream exists afterwards. Raises LaunchFailed where it can't be made."""
    for container in containers:
        target = log_target(container, task_id, region)
        if target is None:
            continue
        _may_log(target.group, target.stream, execution_role, task_id, region)
        options = container["logConfiguration"]["options"]
        if not target.exists and options.get("awslogs-create-group") == "true":
            logs_backends[ACCOUNT][target.region].create_log_group(target.group, {})
        if not target.exists:
            raise LaunchFailed(
                f"{_NO_STREAM}ResourceNotFoundException: The specified log group does not exist. : exit status 1"
            )
        target.open()


def _may_log(group: str, stream: str, execution_role: str, task_id: str, region: str) -> None:
    action = "logs:CreateLogStream"
    resource = f"arn:{PARTITION}:logs:{region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"
    if not allows(execution_role, action, resource):
        user = f"arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{execution_role.rsplit('/', 1)[-1]}/{task_id}"
        raise LaunchFailed(
            f"{_NO_STREAM}AccessDeniedException: User: {user} is not authorized to perform: {action} on resource: "
            f"{resource} because no identity-based policy allows the {action} action : exit status 1"
        )


def check_images(containers: Sequence[Definition], *, trouble: str = "") -> None:
    """Raises LaunchFailed for the first image that can't be pulled. `trouble` is what the registry answers to all."""
    for container in containers:
        name = _full_name(str(container["image"]))
        answer = trouble or (NOT_FOUND if name.endswith(f":{MISSING_TAG}") else "")
        if answer:
            path = name.partition("/")[2].replace(":", "/manifests/")
            raise LaunchFailed(
                f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                f"{name}: {answer.format(name=name, path=path)}",
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
