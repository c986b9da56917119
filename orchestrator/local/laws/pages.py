"""Pages: a list is returned in pages, at most as large as AWS's; in tests, of three items.

This holds for every operation for which botocore has a paginator. moto returns most of them in one piece and has its
own tokens for some; here the complete list is requested from moto, filtered by the call, and one page of it is
returned. The rest is behind a token that is valid for the same arguments only. Markers by name (objects' keys,
records' names) are left to moto, with a smaller number of items requested. A list that changes between two
pages is cut as it is at that moment.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jmespath
from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_pagination_model

from orchestrator.local.core.wire import AwsCall, HttpAnswer, answer_of, refusal_of, result_of
from orchestrator.local.laws import Ask, Force, Law, Row
from orchestrator.local.laws.page_rows import OTHERWISE, PAGES, REFUSED_TOKENS, most_of

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

OK = 200
BY_NAME = frozenset(
    {
        ("s3", "ListObjects"),
        ("s3", "ListObjectsV2"),
        ("s3", "ListObjectVersions"),
        ("s3", "ListMultipartUploads"),
        ("s3", "ListParts"),
        ("route53", "ListResourceRecordSets"),
    }
)
"""Their tokens are names that anybody may write: moto cuts these itself."""


@dataclass(frozen=True, slots=True)
class Paginator:
    """What botocore knows of an operation's pages; `limit` and `more` may be empty."""

    token: str
    next_token: str
    limit: str
    more: str
    lists: tuple[str, ...]


@cache
def paginator_of(service: str, operation: str) -> Paginator | None:
    """None: it answers in one piece."""
    try:
        config = get_pagination_model(service).get(operation)
    except UnknownServiceError:
        return None
    if config is None:
        return None
    lists = config["result_key"]
    token, next_token = config["input_token"], config["output_token"]
    return Paginator(
        token=token if isinstance(token, str) else "",
        next_token=next_token if isinstance(next_token, str) else "",
        limit=config.get("limit_key", ""),
        more=config.get("more_results", ""),
        lists=tuple(lists) if isinstance(lists, list) else (lists,),
    )


def size_of_page(call: AwsCall, asked: int, setting: int) -> int:
    """Items on a page of this call: of what the caller asks for, AWS gives and the cloud is set to, the least."""
    most = asked or most_of(call.service, call.operation)
    return min(most, setting) if setting and not call.of_observer else most


def token_at(place: int, arguments: Mapping[str, Any]) -> str:
    """The token of the page that begins there."""
    written = json.dumps([place, _fingerprint(arguments)]).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def place_of(token: str, arguments: Mapping[str, Any]) -> int | None:
    """Where the page of this token begins; None: it is no token of a call with these arguments."""
    try:
        written = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        return None
    match written:
        case [int(place), str(fingerprint)] if fingerprint == _fingerprint(arguments):
            return place
    return None


def _fingerprint(arguments: Mapping[str, Any]) -> str:
    text = json.dumps(arguments, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Pages(Force):
    """Cuts answers. `setting`: items on a page at most; 0: as many as AWS gives."""

    def __init__(self, setting: int) -> None:
        self._setting = setting

    def concerns(self, call: AwsCall) -> bool:
        """Whether it is a list."""
        return paginator_of(call.service, call.operation) is not None

    def answer(self, call: AwsCall, ask: Ask) -> HttpAnswer:
        """One page."""
        paginator = paginator_of(call.service, call.operation)
        assert paginator is not None  # noqa: S101 - `concerns` said so
        asked = int(call.parameters.get(paginator.limit) or 0)
        size = size_of_page(call, asked, self._setting)
        if (call.service, call.operation) in BY_NAME:
            return ask(call.asking({**call.parameters, paginator.limit: _limit(call, paginator, size)}))
        return self._cut(call, ask, paginator, size)

    def _cut(self, call: AwsCall, ask: Ask, paginator: Paginator, size: int) -> HttpAnswer:
        arguments = {
            name: value for name, value in call.parameters.items() if name not in (paginator.token, paginator.limit)
        }
        token = call.parameters.get(paginator.token)
        place = place_of(str(token), {"of": call.name, **arguments}) if token else 0
        if place is None:
            return refusal_of(call, *REFUSED_TOKENS.get(call.service, OTHERWISE))
        plain = len(arguments) == len(call.parameters)
        answer = ask(call if plain else call.asking(arguments))
        if answer.status != OK:
            return answer
        whole = result_of(call, answer)
        rest = _find(whole, paginator.next_token)
        if rest:
            _gather(call.asking(arguments), ask, paginator, whole, rest)
        items = _items(whole, paginator)
        if plain and not rest and len(items) <= size:
            return answer
        after = place + size
        next_token = token_at(after, {"of": call.name, **arguments}) if after < len(items) else None
        _keep(whole, paginator, items[place:after], next_token)
        return answer_of(call, whole, answer)


def _limit(call: AwsCall, paginator: Paginator, size: int) -> Any:
    """As the shape has it: Route 53's is a text."""
    shape: Any = call.model.input_shape
    return str(size) if shape.members[paginator.limit].type_name == "string" else size


def _gather(call: AwsCall, ask: Ask, paginator: Paginator, whole: dict[str, Any], token: Any) -> None:
    """Add what moto keeps back behind tokens of its own."""
    seen = set()
    while token and token not in seen:
        seen.add(token)
        more = result_of(call, ask(call.asking({**call.parameters, paginator.token: token})))
        for path in paginator.lists:
            found = _find(more, path)
            if isinstance(found, list):
                _put(whole, path, [*(_find(whole, path) or ()), *found])
        token = _find(more, paginator.next_token)


def _items(whole: Mapping[str, Any], paginator: Paginator) -> Sequence[tuple[str, Any]]:
    """Every item of every list, with the list's path."""
    lists = ((path, _find(whole, path)) for path in paginator.lists)
    return [(path, one) for path, found in lists if isinstance(found, list) for one in found]


def _keep(
    whole: dict[str, Any], paginator: Paginator, items: Sequence[tuple[str, Any]], next_token: str | None
) -> None:
    for path in paginator.lists:
        if isinstance(_find(whole, path), list):
            _put(whole, path, [one for where, one in items if where == path])
    _put(whole, paginator.next_token, next_token)
    if paginator.more:
        _put(whole, paginator.more, next_token is not None)


def _find(whole: Mapping[str, Any], path: str) -> Any:
    return jmespath.search(path, whole) if path else None


def _put(whole: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        whole = whole.setdefault(parent, {})
    if value is None:
        whole.pop(last, None)
    else:
        whole[last] = value


def _begin(cloud: Cloud) -> Pages:
    return Pages(cloud.page)


def _rows() -> Sequence[Row]:
    return [
        Row(f"{row.service} {'(others)' if row.operation == '*' else row.operation}", f"{row.most:,} items", row.source)
        for row in PAGES
    ]


LAW = Law(name="pages", title="Pagination: lists come in pages", order=60, begin=_begin, rows=_rows)
