"""Whether a directory still has to be initialised, told from its files alone (no process).

It sees a directory never initialised and providers of the lock file that are not installed. It doesn't see a changed
backend or module: terraform says so itself when it plans, and then `init` runs after all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_PROVIDER = re.compile(r'^provider "(?P<source>[^"]+)" \{\s*version\s*=\s*"(?P<version>[^"]+)"', re.MULTILINE)


def needs_init(directory: Path, environment: Mapping[str, str]) -> str:
    """Why `init` is needed; empty when nothing speaks for it.

    A configuration without providers is always initialised: it leaves no trace, and takes a tenth of a second.
    """
    data = directory / (environment.get("TF_DATA_DIR") or ".terraform")
    if not data.is_dir():
        return "the directory was never initialized"
    lock = directory / ".terraform.lock.hcl"
    locked = _PROVIDER.findall(lock.read_text(encoding="utf-8")) if lock.is_file() else []
    for source, version in locked:
        if not (data / "providers" / source / version).is_dir():
            return f"provider {source} {version} is not installed"
    return ""
