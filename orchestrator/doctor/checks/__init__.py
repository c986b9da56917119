"""One file per check, each with its `CHECK`: `gather` reads the scene, `judge` is pure. None imports another."""

from __future__ import annotations

import importlib
import pkgutil

from orchestrator.engine.check import AnyCheck


def discover() -> tuple[AnyCheck, ...]:
    """Every check, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").CHECK for name in names)
