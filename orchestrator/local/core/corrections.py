"""What moto gets wrong, put right: `moto.py` and `moto_….py` in the room of each service, with `install(cloud)`.

moto has no extension points for this, so a correction replaces methods of its classes, once, in the process of the
local cloud. Each says what moto does and what AWS does.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import local

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def replace(owner: type, **members: object) -> None:
    """Put members of ours in place of a class's own, by name. The type checker can't follow; the tests must."""
    for name, member in members.items():
        setattr(owner, name, member)


def install(cloud: Cloud) -> None:
    """Every correction there is. Call once per process, before the first request."""
    for room in pkgutil.iter_modules(local.__path__, f"{local.__name__}."):
        for name in _of(room) if room.ispkg else ():
            importlib.import_module(name).install(cloud)


def _of(room: pkgutil.ModuleInfo) -> list[str]:
    """The names of a room's corrections."""
    folder = Path(local.__path__[0]) / room.name.rpartition(".")[2]
    found = (info.name for info in pkgutil.iter_modules([str(folder)]))
    return [f"{room.name}.{name}" for name in found if name == "moto" or name.startswith("moto_")]
