"""Providers of the tests' own, where the real ones can't be had, as programs that Terraform installs and starts."""

from __future__ import annotations

from pathlib import Path

from orchestrator.local.toolchain.pypi import Package, installed
from orchestrator.local.toolchain.third_party import PLATFORM

FRAMEWORK = Package("pyvider==0.8.1")
"""Providers in Python, with actions (Apache License 2.0)."""
PROGRAM = """#!{python}
import sys

sys.path.insert(0, {folder!r})
sys.argv[1:] = ["provide"]
from pyvider.cli.__main__ import main

main()
"""
MIRROR = """provider_installation {{
  filesystem_mirror {{
    path = "{path}"
  }}
}}
"""


def laid_out(tools: Path, folder: Path) -> Path:
    """A CLI configuration by which `init` finds the played `hashicorp/local` in `folder`.

    Raises Invalid `download-failed` where the framework can't be had.
    """
    home = installed(FRAMEWORK, tools)
    place = folder / "mirror" / "registry.terraform.io" / "hashicorp" / "local" / "2.6.0" / PLATFORM
    place.mkdir(parents=True)
    # The framework finds what is to be served by an entry point, as of an installed distribution.
    found = folder / "found" / "played_local-0.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: played-local\nVersion: 0\n")
    (found / "entry_points.txt").write_text("[pyvider]\nlocal = local_provider\n")
    (found.parent / "local_provider.py").symlink_to(Path(__file__).with_name("local_provider.py"))
    program = place / "terraform-provider-local_v2.6.0"
    program.write_text(PROGRAM.format(python=home / "bin" / "python", folder=str(found.parent)))
    program.chmod(0o755)
    configuration = folder / "terraform.rc"
    configuration.write_text(MIRROR.format(path=folder / "mirror"))
    return configuration
