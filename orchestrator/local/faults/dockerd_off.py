"""The docker daemon does not run, as after a reboot of an instance that does not enable it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, change_container, meddled
from orchestrator.local.tools import vespa


def _change(console: Console) -> Iterator[Undo]:
    yield from change_container(console, vespa.DOCKER_OFF)


FAULT = meddled("dockerd-off", "docker does not run on Vespa's instance", "Vespa Vector Search Issues", _change)
