"""The one pager: every page of an answer, in as many calls as its arguments need (`aws.batches`).

botocore knows how most operations page, and this module the few that it doesn't. What is asked for by a single id is
read the same way: an answer without a next token ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.paginate import Paginator

from orchestrator.aws import batches, call_marks

NOT_BOTOCORES: Mapping[str, Mapping[str, Any]] = {
    "batch_get_secret_value": {
        "input_token": "NextToken",
        "output_token": "NextToken",
        "result_key": "SecretValues",
    },
    "get_log_events": {
        "input_token": "nextToken",
        "output_token": "nextBackwardToken",
        "result_key": "events",
    },
    "list_hosted_zones_by_name": {
        "input_token": ["DNSName", "HostedZoneId"],
        "output_token": ["NextDNSName", "NextHostedZoneId"],
        "more_results": "IsTruncated",
        "result_key": "HostedZones",
    },
    "list_service_deployments": {
        "input_token": "nextToken",
        "output_token": "nextToken",
        "result_key": "serviceDeployments",
    },
}
"""Operations that answer in pages and have no paginator in botocore, in botocore's own form.

GetLogEvents is read backwards, from the newest events; its last page is the one whose token is the one that was sent.
"""
SIZES: Mapping[str, int] = {"describe_instance_information": 50}
"""Items per page, where AWS returns few (10) by default."""


def pages(client: Any, operation: str, *, gone: frozenset[str] = frozenset(), **arguments: Any) -> Iterator[Any]:
    """Every page of the operation's answer, each asked for when it is wanted.

    `gone` are the error codes by which AWS refuses a call since one of the ids that it names is gone: it is asked for
    fewer at a time until those are found, and they are left out. Raises what botocore raises.
    """
    calls = list(batches.split(operation, arguments))
    while calls:
        some = calls.pop(0)
        if not gone:
            yield from _call(client, operation, some)
            continue
        try:
            whole = list(_call(client, operation, some))
        except ClientError as error:
            calls = batches.narrowed(error, gone, some) + calls
        else:
            yield from whole


def items(
    client: Any, operation: str, key: str, *, gone: frozenset[str] = frozenset(), **arguments: Any
) -> Iterator[Any]:
    """What all pages have under `key`, in their order."""
    for page in pages(client, operation, gone=gone, **arguments):
        yield from page.get(key, ())


def one(client: Any, operation: str, key: str, **arguments: Any) -> Any | None:
    """The first that the pages have under `key`: what was asked for by its id. None: AWS answers that there is none."""
    return next(items(client, operation, key, **arguments), None)


def _call(client: Any, operation: str, arguments: Mapping[str, Any]) -> Iterator[Any]:
    found = iter(_paginator(client, operation).paginate(**arguments, PaginationConfig=_config(operation)))
    while (page := _next(found)) is not None:
        yield page


def _next(found: Iterator[Any]) -> Any:
    with call_marks.going(call_marks.BATCHED, call_marks.PAGED):
        return next(found, None)


def _paginator(client: Any, operation: str) -> Any:
    if operation in NOT_BOTOCORES:
        no_sizes: Any = None
        return Paginator(getattr(client, operation), dict(NOT_BOTOCORES[operation]), no_sizes)
    return client.get_paginator(operation)


def _config(operation: str) -> dict[str, int]:
    return {"PageSize": SIZES[operation]} if operation in SIZES else {}
