"""The docker daemon does not run, as after a reboot of an instance that does not enable it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, instances, meddled
from orchestrator.local.ssm import instance
from orchestrator.local.ssm.tools import containers


def _switch_off(console: Console) -> Iterator[Undo]:
    for one in instances(console):
        file = instance.state_file(console.cloud, one)
        file.parent.mkdir(parents=True, exist_ok=True)
        containers.switch_daemon(file, on=False)
        yield partial(containers.switch_daemon, file, on=True)


FAULT = meddled("dockerd-off", "Docker is not running on Vespa's instance", "Vespa Vector Search Issues", _switch_off)
