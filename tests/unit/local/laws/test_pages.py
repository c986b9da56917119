from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from orchestrator.local.laws.page_rows import PAGES, REFUSED_TOKENS, Page, most_of
from orchestrator.local.laws.pages import paginator_of, place_of, token_at

SESSION: Any = botocore.session.get_session()


@pytest.mark.parametrize(
    ("service", "operation", "most"),
    [
        ("ssm", "DescribeInstanceInformation", 10),
        ("ssm", "GetParametersByPath", 10),
        ("ssm", "ListCommands", 50),
        ("ecs", "ListServices", 10),
        ("ecs", "ListTasks", 100),
        ("route53", "ListResourceRecordSets", 300),
        ("s3", "ListObjectsV2", 1000),
        ("events", "ListRules", 100),
        ("glue", "GetJobs", 100),
    ],
)
def test_a_page_holds_what_aws_gives_unasked(service: str, operation: str, most: int) -> None:
    assert most_of(service, operation) == most


def test_a_token_is_good_for_its_own_arguments_only() -> None:
    token = token_at(3, {"of": "ecs.ListTasks", "cluster": "a"})
    assert place_of(token, {"of": "ecs.ListTasks", "cluster": "a"}) == 3
    assert place_of(token, {"cluster": "a", "of": "ecs.ListTasks"}) == 3
    assert place_of(token, {"of": "ecs.ListTasks", "cluster": "b"}) is None
    assert place_of(token, {"of": "ecs.ListServices", "cluster": "a"}) is None


@pytest.mark.parametrize("token", ["", "x", "nonsense", "bm9ib2R5", "é", "W10", "WzEsMiwzXQ", "MQ"])
def test_what_is_no_token_leads_nowhere(token: str) -> None:
    assert place_of(token, {"of": "ecs.ListTasks"}) is None


def test_what_botocore_does_not_page_has_no_pages() -> None:
    assert paginator_of("ecs", "DescribeServices") is None
    assert paginator_of("ecs", "ListTasks") is not None


@pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row.service}-{row.operation}")
def test_a_row_is_about_an_operation_that_botocore_pages(row: Page) -> None:
    known = SESSION.get_paginator_model(row.service)._paginator_config
    assert row.operation == "*" or row.operation in known
    assert row.service in REFUSED_TOKENS
