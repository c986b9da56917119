"""What a booting task depends on: each missing thing has Onyx's own words, or Fargate's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import until

pytestmark = pytest.mark.cloud


def _setting(name: str, value: str) -> Callable[[Any], None]:
    return lambda tenant: tenant.settings.update({name: value})


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        (
            lambda tenant: tenant.settings.update({"POSTGRES_HOST": f"{tenant.stack.database_host}:5432"}),
            ':5432" to address: Name or service not known',
            1,
        ),
        (_setting("REDIS_SSL", "false"), "Error connecting to Redis: Connection refused", 3),
        (_setting("REDIS_PASSWORD_SECRET", "wrong"), "WRONGPASS invalid username-password pair", 3),
        (_setting("REDIS_PASSWORD_SECRET", ""), "NOAUTH Authentication required.", 3),
        (_setting("REDIS_SSL_CERT_REQS", "required"), "SSL: CERTIFICATE_VERIFY_FAILED", 3),
        (_setting("REDIS_DB_NUMBER", "16"), "DB index is out of range", 3),
        (_setting("VESPA_HOST", "10.255.0.1"), "host='10.255.0.1', port=19071", 3),
        (_setting("S3_FILE_STORE_PREFIX", "of-someone-else"), "(AccessDenied) when calling the PutObject operation", 3),
        (_setting("S3_FILE_STORE_BUCKET_NAME", "no-such-bucket"), "(NoSuchBucket)", 3),
        (_setting("POSTGRES_PASSWORD_SECRET", "wrong"), "FATAL:  password authentication failed for user", 1),
    ],
)
def test_a_task_dies_of_what_is_wrong(tenant: Any, change: Any, words: str, code: int) -> None:
    tenant.create_database()
    change(tenant)
    tenant.register()
    tenant.create()
    until(f"the log says {words!r}", lambda: words in tenant.log())
    stopped = tenant.until_stopped()
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert next(c["exitCode"] for c in stopped["containers"] if c["name"] == "api") == code
    assert "only-for-the-tests" not in tenant.log()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tenant: setattr(tenant, "image_tag", "does-not-exist"),
            "CannotPullContainerError: pull image manifest",
        ),
        (
            lambda tenant: setattr(tenant, "execution", tenant.stack.role(f"{tenant.name}-may-nothing")),
            "is not authorized to perform: secretsmanager:GetSecretValue",
        ),
        (lambda tenant: setattr(tenant, "secret_key", "nope"), "did not contain json key nope"),
        (
            lambda tenant: setattr(
                tenant, "redis_secret", "arn:aws:secretsmanager:us-west-2:123456789012:secret:gone-abcdef"
            ),
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        ),
        (lambda tenant: setattr(tenant, "log_group", "/ecs/nowhere"), "The specified log group does not exist."),
    ],
)
def test_a_task_that_fargate_can_not_start(tenant: Any, change: Any, words: str) -> None:
    change(tenant)
    tenant.register()
    tenant.create()
    stopped = tenant.until_stopped()
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert words in stopped["stoppedReason"]
    assert "startedAt" not in stopped
    assert tenant.until_state("FAILED")["failedTasks"] >= 3


def test_the_site_answers_once_the_api_is_up(tenant: Any, stack: Any) -> None:
    tenant.create_database()
    tenant.create()
    tenant.until_state("COMPLETED")
    (target,) = tenant.health()
    assert target["TargetHealth"] == {"State": "healthy"}
    assert target["Target"]["Port"] == 80
    (task,) = tenant.tasks()
    address = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}["privateIPv4Address"]
    assert target["Target"]["Id"] == address
    assert address.startswith("10.0.0."), "the first subnet's"
    assert {container["lastStatus"] for container in task["containers"]} == {"RUNNING"}
    assert "Application startup complete." in tenant.log()
