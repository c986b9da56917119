"""One JSON object a line on standard output, and nothing else there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from orchestrator.events import Emit, Event, as_json


def emitter(out: TextIO, now: Callable[[], datetime]) -> Emit:
    """Write each event at once, so that a reader at the other end of a pipe sees it when it happens."""

    def emit(event: Event) -> None:
        out.write(json.dumps(as_json(event, now()), ensure_ascii=False) + "\n")
        out.flush()

    return emit
