from __future__ import annotations

import pytest

from orchestrator.stack.contract import Stack, parse
from tests.unit.stack.test_contract import good


@pytest.fixture
def stack() -> Stack:
    return parse(good(), "test")
