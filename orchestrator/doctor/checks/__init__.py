"""One file per check, each with its `CHECK`, or `CHECKS` of a kind: `gather` reads the scene, `judge` is pure.

None imports another. What can be judged before it is applied has its `POINTS` of the checklists in the same file: they
take the facts from Terraform's plan or state, and ask the same `judge`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from orchestrator.checklist.model import Item
from orchestrator.engine.check import AnyCheck


def discover() -> tuple[AnyCheck, ...]:
    """Every check, by name."""
    found = [check for module in _modules() for check in getattr(module, "CHECKS", None) or (module.CHECK,)]
    return tuple(sorted(found, key=lambda check: check.id))


def points() -> tuple[Item, ...]:
    """Those of the checklists that checks judge."""
    return tuple(point for module in _modules() for point in getattr(module, "POINTS", ()))


def _modules() -> tuple[Any, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)
