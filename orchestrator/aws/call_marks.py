"""How a request was made: by the pager, by the batcher, sent once. The last word of its User-Agent says so.

`way/batched,paged` is what `aws.pages` sends, `way/batched` what `aws.batches` does, and `way/once` is a change that
botocore may not resend. A recorder of requests can tell by it which ones went around the pager or the batcher.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

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

    def say(event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        ways = _going.get() | ({ONCE} if event_name.rpartition(".")[2] in single else set())
        if ways:  # botocore writes the header until then, and doesn't sign it
            said = request.headers["User-Agent"]
            text = said.decode() if isinstance(said, bytes) else said
            request.headers["User-Agent"] = f"{text} way/{','.join(sorted(ways))}"

    client.meta.events.register("before-send", say)


def of(user_agent: str) -> frozenset[str]:
    """The ways that a User-Agent tells."""
    _, _, last = user_agent.rpartition(" ")
    return frozenset(last.removeprefix("way/").split(",")) if last.startswith("way/") else frozenset()
