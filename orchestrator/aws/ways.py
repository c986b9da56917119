"""How a request goes to AWS: by pages, in batches, sent once. Its User-Agent says so, as its last word.

`way/batched,paged` is what `aws.pages` sends, `way/batched` what `aws.batches` does, and `way/once` is a change that
botocore may not send again. Who records requests can tell by it what went around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.model import OperationModel

BATCHED, ONCE, PAGED = "batched", "once", "paged"
_going: ContextVar[frozenset[str]] = ContextVar("way", default=frozenset())


@contextmanager
def going(*ways: str) -> Iterator[None]:
    """What is asked inside, by this thread, goes so. A generator must not yield inside: its caller would go so too."""
    before = _going.set(frozenset(ways))
    try:
        yield
    finally:
        _going.reset(before)


def mark(client: Any, once: Collection[str]) -> None:
    """Have every request of the client say how it goes; the operations of `once` (boto3's names) are sent once."""
    single = {operation for method, operation in client.meta.method_to_api_mapping.items() if method in once}

    def say(model: OperationModel, params: dict[str, Any], **_: Any) -> None:
        ways = _going.get() | ({ONCE} if model.name in single else set())
        if ways:
            params["headers"]["User-Agent"] = f"{params['headers'].get('User-Agent', '')} way/{','.join(sorted(ways))}"

    client.meta.events.register("before-call", say)


def of(user_agent: str) -> frozenset[str]:
    """The ways that a User-Agent tells."""
    _, _, last = user_agent.rpartition(" ")
    return frozenset(last.removeprefix("way/").split(",")) if last.startswith("way/") else frozenset()
