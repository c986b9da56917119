"""One file per step, each with its `STEP`. Steps never import each other."""

from __future__ import annotations

import importlib
import pkgutil

from orchestrator.engine.graph import AnyStep, order


def discover() -> tuple[AnyStep, ...]:
    """Every step, in an order in which each follows what it needs."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return order([importlib.import_module(f"{__name__}.{name}").STEP for name in names])
