"""A double of a boto3 client whose answers fit on one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class OnePage:
    """Operations are methods of the subclass; a paginator of one asks it once."""

    def get_paginator(self, operation: str) -> Any:
        asked = getattr(self, operation)

        class Pages:
            def paginate(self, PaginationConfig: object = None, **given: Any) -> Iterator[Any]:  # noqa: N803 - botocore's
                yield asked(**given)

        return Pages()
