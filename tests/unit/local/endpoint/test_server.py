"""The AWS endpoint: which requests reach moto at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestrator.local.endpoint import server


@pytest.mark.parametrize(("service", "together"), [("ecs", True), ("ec2", False), ("iam", False)])
def test_what_moto_is_not_made_for_comes_one_at_a_time(service: str, together: bool) -> None:
    meeting = threading.Barrier(2, timeout=2 if not together else 30)

    def moto(_environ: Any, _start_response: Any) -> Iterable[bytes]:
        try:
            meeting.wait()
        except threading.BrokenBarrierError:
            return [b"alone"]
        return [b"together"]

    answer = server._one_at_a_time(moto)
    environ = {"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=local/20261123/us-west-2/{service}/aws4_request"}
    with ThreadPoolExecutor(2) as pool:
        said = [b"".join(one) for one in pool.map(lambda _: answer(dict(environ), lambda *_: None), range(2))]  # type: ignore[arg-type]
    assert said == [b"together" if together else b"alone"] * 2
