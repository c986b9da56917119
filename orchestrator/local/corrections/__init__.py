"""What moto gets wrong, put right: one module per service, each with `install(cloud)`.

moto has no extension points for this, so a correction replaces methods of its classes, once, in the process of the
local cloud. Each says what moto does and what AWS does.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.local.cloud import Cloud


def replace(owner: type, **members: object) -> None:
    """Put members of ours in place of a class's own, by name. The type checker can't follow; the tests must."""
    for name, member in members.items():
        setattr(owner, name, member)


def install(cloud: Cloud) -> None:
    """Every correction there is. Call once per process, before the first request."""
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}").install(cloud)
