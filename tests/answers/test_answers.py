"""Our cloud's answers have what AWS's have; what they lack is written down with its reason, and nothing else is."""

from __future__ import annotations

import pytest

from tests.answers.beside import of_moto
from tests.answers.compared import lacking, meant, news, not_asked
from tests.answers.derived import RECORDED, derive, table
from tests.answers.questions import Facts, questions
from tests.answers.shapes import missing, shape
from tests.e2e.stage import Stage

NOBODY = Facts(
    {
        "cluster": "c",
        "bucket": "b",
        "load_balancer": {"arn": "a"},
        "certificate": {"arn": "a"},
        "database": {"instance": "d"},
        "redis": {"replication_group": "r"},
        "runner": {"instance_id": "i"},
        "dns": {"zone": "z"},
        "tenants": {"a": {"target_group_arn": "t", "service": "s", "log_group": "l", "secret_arn": "s"}},
    },
    tasks=[],
    task_definition="t",
    role="arn/r",
    listener="l",
    zone="z",
    key="k",
    stream="s",
    command="c",
    volume="v",
)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="AWS's recorded answers are not beside this checkout")
def test_the_table_is_what_the_records_say() -> None:
    assert derive() == table()


def test_every_operation_is_asked_or_said_why_not() -> None:
    asked = {name for name, _ in questions(NOBODY)}
    assert table().keys() - asked == not_asked().keys()


def test_our_answers_lack_only_what_is_meant(alive: Stage) -> None:
    assert lacking(alive.aws.client, alive.contract) == meant()


def test_what_moto_alone_lacks_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of it shows here what is new: then `python -m tests.answers moto` writes it down."""
    assert news("moto", of_moto(monkeypatch.setenv)) == []


def test_a_member_is_missing_only_where_what_holds_it_is_there() -> None:
    answer = {"services": [{"serviceName": "web", "deployments": [], "deploymentController": {"type": "ECS"}}]}
    found = shape("ecs:DescribeServices", [answer])
    expected = ["services[].status", "services[].deployments[].id", "failures", "services[].serviceName"]
    assert missing(expected, found) == ["failures", "services[].status"]
