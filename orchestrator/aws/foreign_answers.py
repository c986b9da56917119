"""Whether an answer is AWS's at all: a proxy, a firewall or a captive portal may answer in its place, mostly by a page.

botocore takes such an answer for AWS's: of a page in place of JSON it makes an answer in which nothing is, of a 403 a
missing permission; a page in place of XML ends in an exception of its parser, which is no `BotoCoreError`. The body is
judged by the protocol of the call. Left alone: answers of 500 and more, for which AWS's own load balancers have a page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from botocore.exceptions import HTTPClientError
from botocore.model import OperationModel

OF_PROXIES = frozenset({407, 511})
"""Statuses that only somebody in between says: Proxy and Network Authentication Required (RFC 9110, RFC 6585)."""
SHOWN = 100
"""Characters of the page that are told."""
_XML = frozenset({"ec2", "query", "rest-xml"})
_WRAPPED = frozenset({"ec2", "query"})
"""Protocols whose every answer is an element called `…Response`."""


class ForeignAnswerError(HTTPClientError):
    """Somebody else than AWS has answered; nobody knows whether AWS has heard of the call."""

    fmt = "the answer is not from AWS: {said}"


def register(session: Any) -> None:
    """Have every client of a botocore session raise `ForeignAnswerError`, before the answer is parsed."""
    # Before botocore's own: of S3's answers that can't be parsed it makes a 500.
    session.get_component("event_emitter").register_first("before-parse", _judge)


def _judge(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: Any) -> None:
    status, body = int(response_dict["status_code"]), response_dict["body"]
    if not isinstance(body, bytes) or not is_foreign(operation_model, status, body):
        return
    kind = response_dict["headers"].get("content-type", "no content type")
    begins = " ".join(body.decode(errors="replace").split())[:SHOWN]
    raise ForeignAnswerError(said=f"HTTP {status}, {kind}" + (f', beginning with "{begins}"' if begins else ""))


def is_foreign(operation: OperationModel, status: int, body: bytes) -> bool:
    """Whether this can't be AWS's answer to that call."""
    protocol = str(operation.service_model.resolved_protocol)  # type: ignore[attr-defined, unused-ignore]
    if status in OF_PROXIES:
        return True
    if status >= 500 or operation.http.get("method") == "HEAD":
        return False
    if not body.strip():
        return protocol in _WRAPPED
    if protocol in _XML:
        return not _has_other_content(operation, status) and not _is_xml(body, wrapped=protocol in _WRAPPED)
    return not _is_json(body) if protocol in ("json", "rest-json") else body.lstrip().startswith(b"<")


def _has_other_content(operation: OperationModel, status: int) -> bool:
    """Whether a good answer's body is itself what was asked for (a bucket's policy), in whatever form."""
    output: Any = operation.output_shape
    content = output and output.members.get(output.serialization.get("payload"))
    return status < 300 and content is not None and content.type_name in ("blob", "string")


def _is_xml(body: bytes, *, wrapped: bool) -> bool:
    try:
        root = ElementTree.fromstring(body).tag.rpartition("}")[2]  # noqa: S314 - botocore parses it by the same means
    except ElementTree.ParseError:
        return False
    return root.endswith("Response") if wrapped else root.lower() != "html"


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
