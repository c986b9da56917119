"""What is on EBS volumes: one folder each, as far as something of an instance writes there (Vespa's documents).

An instance's data are on its attached volume that is not the root device; without one, on the root disk, which goes
with the instance. Left out: blocks, file systems, sizes, speed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def folder(cloud: Cloud, name: str) -> Path:
    """What is on a volume (or in a snapshot), by its id."""
    return cloud.directory / "volumes" / name


def copy(cloud: Cloud, source: str, target: str) -> None:
    """A snapshot of a volume, or a volume from a snapshot: what is there now."""
    if folder(cloud, source).is_dir():
        shutil.copytree(folder(cloud, source), folder(cloud, target))


def remove(cloud: Cloud, name: str) -> None:
    """It is deleted, with what was on it."""
    shutil.rmtree(folder(cloud, name), ignore_errors=True)


def of_instance(account: str, region: str, instance_id: str) -> str | None:
    """The id of the data volume, or None: there is only the root disk."""
    for volume in list(ec2_backends[account][region].volumes.values()):
        attached = volume.attachment
        if attached and attached.instance.id == instance_id and attached.device != attached.instance.root_device_name:
            return str(volume.id)
    return None
