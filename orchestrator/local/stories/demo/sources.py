"""The project's own stack, copied to where it is to be applied."""

from __future__ import annotations

import shutil
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[3]
SOURCES = next(place for place in (_PACKAGE / "share", _PACKAGE.parent) if place.is_dir())
"""Where `terraform/` and `hooks/` are: of an installed package, else of a checkout."""


def copied(folder: Path) -> Path:
    """Terraform's directory in `folder`, with the modules beside it, without what earlier runs left there."""
    for part in ("terraform", "hooks"):
        ignore = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfplan", ".orchestrate", "tests")
        shutil.copytree(SOURCES / part, folder / part, ignore=ignore)
    return folder / "terraform"
