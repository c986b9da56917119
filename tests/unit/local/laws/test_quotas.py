"""Which quotas an account has that asked for more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.laws import quota_rows
from orchestrator.local.laws.quota_rows import ROWS, Quota
from orchestrator.local.laws.quotas import LAW


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_can_be_raised_is_raised_and_nothing_else(row: Quota) -> None:
    assert row.applied(1) == row.most
    assert row.applied(40) == (40 * row.most if row.adjustable else row.most)


@pytest.mark.parametrize(("times", "held", "refused"), [(1, 4, False), (1, 5, True), (2, 9, False), (2, 10, True)])
def test_one_more_network_than_the_account_may_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, times: int, held: int, refused: bool
) -> None:
    backends = {ACCOUNT: {"us-west-2": SimpleNamespace(vpcs=dict.fromkeys(range(held)))}}
    monkeypatch.setattr(quota_rows, "ec2_backends", backends)
    call: Any = SimpleNamespace(service="ec2", operation="CreateVpc", parameters={}, region="us-west-2")
    account: Any = SimpleNamespace(quotas=times)
    found = LAW.begin(account).refusal(call)
    assert (found is not None) is refused
