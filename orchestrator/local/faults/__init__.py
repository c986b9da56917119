"""Named failures, injected while the cloud runs. One fault = one small file in this folder, with a `FAULT`.

A fault is declared here and *felt* where the thing happens: the part asks `cloud.faults.active("oom", tenant)`. A fault
that changes the world once, when it is injected or cleared, gives `inject`/`clear` functions.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _nothing(_cloud: Cloud, _tenant: str) -> None:
    """Most faults change nothing by themselves: they are asked for where they are felt."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`guide` is the section of the guide it comes from (empty: beyond the guide)."""

    name: str
    title: str
    guide: str = ""
    per_tenant: bool = True
    inject: Callable[[Cloud, str], None] = _nothing
    clear: Callable[[Cloud, str], None] = _nothing


def catalogue() -> dict[str, Fault]:
    """Every fault there is, by name: a module has one FAULT, or FAULTS of one family; what they share has neither."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    faults: list[Fault] = []
    for module in modules:
        faults += [module.FAULT] if hasattr(module, "FAULT") else getattr(module, "FAULTS", ())
    return {fault.name: fault for fault in sorted(faults, key=lambda fault: fault.name)}
