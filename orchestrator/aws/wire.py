"""What is sent to AWS and how it is answered, as botocore and urllib3 log it: for `--debug`.

Only a few loggers are taken, by name: the others write signatures, session tokens and whole answers, which hold secrets
that nobody has named yet. So an answer is its status alone; in a request, what sounds secret is masked by its name, and
what is known to be secret by its value.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from orchestrator.redact import MASK, sounds_secret

LONGEST = 2000
"""Characters of one line."""
LOGGERS = (
    "botocore.credentials",
    "botocore.endpoint",
    "botocore.retries.standard",
    "botocore.retryhandler",
    "urllib3.connectionpool",
)
_QUERY = re.compile(r"\?[^\s\"']*")
"""Of a URL; that of a presigned one holds its signature."""
_REQUEST = "Making request for %s with params: %s"
_WITHOUT_BODY = frozenset({"s3"})
"""Services whose bodies are data, not parameters."""


@contextmanager
def wire_log(say: Callable[[str], None], redact: Callable[[str], str]) -> Iterator[None]:
    """Give `say` every line, as long as the context lasts; all clients of this process write into these loggers."""
    handler = _WireHandler(say, redact)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


class _WireHandler(logging.Handler):
    def __init__(self, say: Callable[[str], None], redact: Callable[[str], str]) -> None:
        super().__init__()
        self._say = say
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        words = line_of(record)
        if words:
            at = datetime.fromtimestamp(record.created, UTC).astimezone()
            said = self._redact(" ".join(words.split()))  # before it is cut: half a secret would be known to nobody
            self._say(f"{at:%H:%M:%S}.{int(record.msecs):03} {record.name}: {said[:LONGEST]}")


def line_of(record: logging.LogRecord) -> str:
    """The words of one record, in which known secrets may still be; empty: nothing is said of it."""
    if record.name == "botocore.endpoint":
        args = record.args
        return _request(*args) if record.msg == _REQUEST and isinstance(args, tuple) and len(args) == 2 else ""
    error = record.exc_info[1] if record.exc_info else None
    cause = f" ({type(error).__name__})" if error else ""
    return _QUERY.sub("?…", f"{record.getMessage()}{cause}")


def _request(operation: Any, request: Any) -> str:
    service = operation.service_model.service_name
    url = _QUERY.sub("?…", str(request.get("url", "")))
    body = "" if service in _WITHOUT_BODY else _body(request.get("body"))
    return f"{service} {operation.name} {request.get('method', '')} {url} {body}".rstrip()


def _body(body: Any) -> str:
    """As JSON, masked; what is neither a mapping nor JSON is told by its size."""
    if isinstance(body, bytes | bytearray):
        body = bytes(body).decode(errors="replace")
    if isinstance(body, str) and body:
        try:
            body = json.loads(body)
        except ValueError:
            return f"({len(body)} characters)"
    return json.dumps(masked(body), ensure_ascii=False, default=str) if isinstance(body, Mapping) else ""


def masked(value: Any) -> Any:
    """A request's parameters without the values whose names sound secret, be it of a key or of a `name` beside it."""
    if isinstance(value, Mapping):
        name = value.get("name", value.get("Name", ""))
        pair = isinstance(name, str) and sounds_secret(name)
        return {
            key: MASK if sounds_secret(str(key)) or (pair and str(key).lower() == "value") else masked(inner)
            for key, inner in value.items()
        }
    return [masked(one) for one in value] if isinstance(value, list | tuple) else value
