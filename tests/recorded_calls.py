"""What the record of all AWS calls of a test run says about how the orchestrator makes them.

Each of its requests says in its User-Agent which way it goes (`aws.ways`). Here: every list that AWS gives in pages is
read by the pager, every argument that AWS limits is given by the batcher, and every change has a row in `aws.resends`
and is sent as that row says. A call that goes around them is a defect, even when it had little to list today. So is one
whose rate the local cloud does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from orchestrator.aws import call_marks, resends
from orchestrator.local.core.caller import OBSERVER
from orchestrator.local.laws.limit_rows import ROWS
from orchestrator.local.laws.rate_rows import rates_of

OURS = "onyx-orchestrator"
"""In the User-Agent of the product."""
READS = ("Describe", "Get", "List", "Head", "Filter", "BatchGet", "Simulate", "Search", "Lookup", "AssumeRole")
RATELESS = {"s3"}
"""Their rates are not an account's."""


def complaints(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each kind of call that went around the pager, the batcher or the table of what is sent once."""
    found = {line for one in records if OURS in one["agent"] for line in _of_one(one)}
    return sorted(found)


def _of_one(record: Mapping[str, Any]) -> Iterator[str]:
    name = str(record["operation"])
    service, _, operation = name.partition(".")
    went = call_marks.of(record["agent"])
    if OBSERVER in record["agent"]:
        yield f"{name} bears the observer's mark: who is tested must see what anybody sees"
    if is_paged(service, operation) and call_marks.PAGED not in went:
        yield f"{name} answers in pages, and did not go through the pager (aws.pages)"
    limited = limited_arguments(service, operation) & set(record["sizes"])
    if limited and call_marks.BATCHED not in went:
        yield f"{name} has limits ({', '.join(sorted(limited))}), and did not go through the batcher (aws.batches)"
    if service not in RATELESS and not rates_of(service, operation):
        yield f"{name} may be asked as often as one likes: it has no row (local.laws.rate_rows)"
    method = xform_name(operation)
    if not operation.startswith(READS):
        yield from _of_change(name, method, went)


def _of_change(name: str, method: str, went: Collection[str]) -> Iterator[str]:
    if method in resends.ONCE:
        if call_marks.ONCE not in went:
            yield f"{name} is one more each time it is sent, and botocore may send it again (aws.resends)"
    elif method not in resends.AGAIN:
        yield f"{name} changes something, and nothing says whether it may be sent again (aws.resends)"


@cache
def is_paged(service: str, operation: str) -> bool:
    """Whether botocore knows how the operation pages."""
    try:
        return operation in _SESSION.get_paginator_model(service)._paginator_config
    except (UnknownServiceError, ValueError):
        return False


@cache
def limited_arguments(service: str, operation: str) -> frozenset[str]:
    """Lists of the operation that AWS limits: by a row of ours, or in its own model. Of tags, none can be split."""
    shape: Any = _SESSION.get_service_model(service).operation_model(operation).input_shape
    members = shape.members if shape else {}
    modelled = {name for name, one in members.items() if one.type_name == "list" and "max" in one.metadata}
    rows = {
        re.split(r"\W", row.what)[0] for row in ROWS if row.service == service and row.operations & {operation, "*"}
    }
    return frozenset(modelled | (rows & set(members))) - {"Tags", "tags"}


_SESSION: Any = botocore.session.get_session()


def read(folder: Path) -> list[dict[str, Any]]:
    """The records that the clouds of a run left in the folder."""
    return [one for file in sorted(folder.glob("*.json")) for one in json.loads(file.read_text(encoding="utf-8"))]
