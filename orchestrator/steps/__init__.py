"""One file per step, each with its `STEP`, or `STEPS` of a kind. Steps never import each other."""

from __future__ import annotations

import importlib
import pkgutil

from orchestrator.engine.graph import AnyStep, order


def discover() -> tuple[AnyStep, ...]:
    """Every step, in an order in which each follows what it needs."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return order([step for module in modules for step in getattr(module, "STEPS", None) or (module.STEP,)])
