"""The rules as tables: breaker, throttling, rolling counts, health, names."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from moto.iam.models import iam_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.ecs import rollout
from orchestrator.local.ecs.launch import LaunchFailed, check_images
from orchestrator.local.ecs.tasks import is_tenants
from orchestrator.local.elb.health import NEW, Health, HealthCheckRules, judge, matches
from orchestrator.local.iam.permissions import allows
from orchestrator.local.onyx.containers import ContainerRole, role_of


@pytest.mark.parametrize(("desired", "threshold"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_the_breaker_trips_at_half_the_desired_count_within_3_and_200(desired: int, threshold: int) -> None:
    assert rollout.breaker_threshold(desired, {}) == threshold


def test_the_wait_before_a_launch_never_shrinks_and_ends_at_27_minutes() -> None:
    delays = [rollout.launch_delay(failures) for failures in range(30)]
    assert delays == sorted(delays)
    assert delays[:4] == [0, 0, 0, 0]
    assert delays[4] > 0
    assert delays[-1] == 27 * 60


@pytest.mark.parametrize(
    ("desired", "maximum", "ours", "alive", "launched"),
    [
        (1, 200, 0, 0, 1),
        (1, 200, 0, 1, 1),  # beside the old one
        (1, 100, 0, 1, 0),  # no room beside the old one
        (4, 150, 0, 4, 2),
        (4, 200, 4, 8, 0),
        (0, 200, 0, 1, 0),
        (1, 50, 0, 0, 1),  # a service of one task can always be started
    ],
)
def test_launches(desired: int, maximum: int, ours: int, alive: int, launched: int) -> None:
    assert rollout.to_launch(desired=desired, maximum_percent=maximum, ours=ours, alive=alive) == launched


@pytest.mark.parametrize(
    ("desired", "minimum", "ours", "old", "sick", "stopped"),
    [
        (1, 100, 0, 1, 0, 0),  # the old one stays until the new one is healthy
        (1, 100, 1, 1, 0, 1),
        (1, 100, 0, 0, 1, 1),  # a sick one serves nobody
        (4, 50, 0, 4, 0, 2),
        (0, 100, 0, 2, 1, 3),
    ],
)
def test_retirements(desired: int, minimum: int, ours: int, old: int, sick: int, stopped: int) -> None:
    number = rollout.to_retire(
        desired=desired, minimum_percent=minimum, healthy_ours=ours, healthy_old=old, sick_old=sick
    )
    assert number == stopped


@pytest.mark.parametrize(
    ("status", "matcher", "yes"),
    [(200, "200", True), (204, "200-299", True), (307, "200-299", False), (302, "200,302", True), (503, "200", False)],
)
def test_matchers(status: int, matcher: str, yes: bool) -> None:
    assert matches(status, matcher) is yes


RULES = HealthCheckRules(path="/", interval=60, healthy=2, unhealthy=3, matcher="200")


@pytest.mark.parametrize(
    ("answers", "state", "reason"),
    [
        ([], "initial", "Elb.RegistrationInProgress"),
        ([200], "initial", "Elb.InitialHealthChecking"),
        ([200, 200], "healthy", None),
        ([200, 503, 200], "initial", "Elb.InitialHealthChecking"),
        ([502, 502], "initial", "Elb.InitialHealthChecking"),
        ([502, 502, 502], "unhealthy", "Target.ResponseCodeMismatch"),
        ([None, None, None], "unhealthy", "Target.Timeout"),
        ([200, 200, 503, 503], "healthy", None),
        ([200, 200, 503, 503, 503], "unhealthy", "Target.ResponseCodeMismatch"),
        ([None, None, None, 200], "unhealthy", "Target.Timeout"),
        ([None, None, None, 200, 200], "healthy", None),
    ],
)
def test_target_health(answers: list[int | None], state: str, reason: str | None) -> None:
    health: Health = NEW
    for answer in answers:
        health = judge(health, answer, RULES)
    assert (health.state, health.reason) == (state, reason)


@pytest.mark.parametrize(
    ("tenant", "name", "yes"),
    [
        ("customer-a", "service:customer-a-prod-service", True),
        ("customer-a", "service:customer-ab-prod-service", False),
        ("customer-a", "customer-a", True),
        ("", "anything", True),
        ("a", "service:customer-a-prod-service", True),
    ],
)
def test_a_service_is_a_tenants_when_its_name_has_the_tenants_as_whole_words(tenant: str, name: str, yes: bool) -> None:
    assert is_tenants(tenant, name) is yes


@pytest.mark.parametrize(
    ("image", "name", "role"),
    [
        ("onyxdotapp/onyx-backend:v2.5.0", "api", ContainerRole.API),
        ("onyxdotapp/onyx-backend:v2.5.0", "background", ContainerRole.BACKGROUND),
        ("onyxdotapp/onyx-web-server:v2.5.0", "web", ContainerRole.WEB),
        ("public.ecr.aws/docker/library/nginx:1.27", "nginx", ContainerRole.NGINX),
        ("busybox", "sidecar", ContainerRole.OTHER),
    ],
)
def test_what_a_container_is_for(image: str, name: str, role: ContainerRole) -> None:
    assert role_of({"image": image, "name": name}) is role


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx:does-not-exist", "docker.io/library/nginx:does-not-exist"),
        ("onyxdotapp/onyx-backend:does-not-exist", "docker.io/onyxdotapp/onyx-backend:does-not-exist"),
        ("localhost:5000/x:does-not-exist", "localhost:5000/x:does-not-exist"),
    ],
)
def test_an_image_that_is_not_there_is_named_in_full(image: str, full: str) -> None:
    with pytest.raises(LaunchFailed) as raised:
        check_images([{"name": "api", "image": image}])
    assert raised.value.reason == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {full}: {full}: not found"
    )


PUT = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::files/customer-a/*"}
ONLY_TLS = {
    "Effect": "Deny",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(
    ("statements", "yes"),
    [
        ([PUT], True),
        (PUT, True),
        ([{**PUT, "Action": "s3:*"}], True),
        ([{**PUT, "Action": ["s3:GetObject"]}], False),
        ([{**PUT, "Resource": "arn:aws:s3:::files/customer-b/*"}], False),
        ([PUT, {**PUT, "Effect": "Deny"}], False),
        ([PUT, ONLY_TLS], True),
    ],
)
def test_what_a_role_may_do(statements: Any, yes: bool) -> None:
    iam = iam_backends[ACCOUNT]["aws"]
    name = f"role-{uuid.uuid4().hex}"
    role = iam.create_role(name, json.dumps({"Version": "2012-10-17", "Statement": []}), "/", None, "", [], "3600")
    iam.put_role_policy(name, "inline", json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert allows(role.arn, "s3:PutObject", "arn:aws:s3:::files/customer-a/x") is yes
    assert allows("arn:aws:iam::123456789012:role/nobody", "s3:PutObject", "*") is False
