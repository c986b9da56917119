"""CloudWatch Logs: filter patterns of unstructured lines.

moto takes the first character for the whole pattern's kind, so that `?ERROR ?Exception` finds every line. Here: words
that must all be there, `"quoted"` ones, `?optional` ones of which one must be, `-excluded` ones. Left out: patterns for
JSON and for columns, and `%regular expressions%` (InvalidParameterException).
"""

from __future__ import annotations

import re
from typing import Any

from moto.logs.exceptions import InvalidParameterException
from moto.logs.utils import EventMessageFilter

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*')


def install(_cloud: Cloud) -> None:
    """Patterns are what they are on AWS."""
    replace(EventMessageFilter, __init__=_read, matches=_matches)


def _read(self: Any, pattern: str) -> None:
    pattern = (pattern or "").strip()
    if pattern[:1] in ("{", "[", "%"):
        raise InvalidParameterException("the local cloud knows patterns of unstructured lines only")
    terms, at = [], 0
    while at < len(pattern):
        found = _TERM.match(pattern, at)
        if found is None:
            raise InvalidParameterException(f"Invalid filter pattern: {pattern}")
        quoted = found[2].replace('\\"', '"') if found[2] is not None else found[3]
        terms.append((found[1], quoted))
        at = found.end()
    self.terms = terms


def _matches(self: Any, message: str) -> bool:
    by_kind: dict[str, list[bool]] = {"": [], "?": [], "-": []}
    for kind, text in self.terms:
        by_kind[kind].append(text in message)
    return all(by_kind[""]) and not any(by_kind["-"]) and (not by_kind["?"] or any(by_kind["?"]))
