"""user_data could not pull Vespa's image: there is neither image nor container."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local import instance
from orchestrator.local.meddling import Console, Undo, instances, meddled
from orchestrator.local.tools import vespa


def _change(console: Console) -> Iterator[Undo]:
    for one in instances(console):
        file = instance.containers(console.cloud, one)
        file.parent.mkdir(parents=True, exist_ok=True)
        vespa.change(file, vespa.UNPULLED)
        yield partial(vespa.change, file, vespa.RUNNING)


FAULT = meddled("vespa-image-missing", "Vespa's image was never pulled", "Vespa Vector Search Issues", _change)
