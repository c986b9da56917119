"""What OpenSearch answers when it does not do what it is asked: its status, and its words as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OpenSearchRefusal(Exception):
    """A request that is refused: `kind` is the type of OpenSearch's exception."""

    def __init__(self, status: int, kind: str, reason: str, **more: str) -> None:
        super().__init__(reason)
        self.status = status
        self.cause = {"type": kind, "reason": reason, **more}

    @property
    def body(self) -> Mapping[str, Any]:
        """As it is answered."""
        return {"error": {"root_cause": [self.cause], **self.cause}, "status": self.status}


def no_index(name: str) -> OpenSearchRefusal:
    """There is none of this name."""
    more = {"index": name, "resource.id": name, "resource.type": "index_or_alias", "index_uuid": "_na_"}
    return OpenSearchRefusal(404, "index_not_found_exception", f"no such index [{name}]", **more)


def read_only(name: str) -> OpenSearchRefusal:
    """The disk passed the flood stage: reading and deleting whole indexes alone is allowed."""
    block = "[TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block]"
    return OpenSearchRefusal(429, "cluster_block_exception", f"index [{name}] blocked by: {block};", index=name)


def illegal(reason: str) -> OpenSearchRefusal:
    """A request that makes no sense."""
    return OpenSearchRefusal(400, "illegal_argument_exception", reason)
