"""What PyPI has and is needed as a program: each in an environment of its own among the tools, pinned by hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from orchestrator.errors import Invalid, Problem

_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Package:
    """`requirement` is `NAME==VERSION`. `sha256` of each file that may be taken; without any, nothing is pinned."""

    requirement: str
    sha256: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Its environment's name."""
        return self.requirement.replace("==", "-")


def installed(package: Package, tools: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The environment (`bin/python`, `lib/…`) that has it, made where it is missing. Safe with several at once.

    Raises Invalid `download-failed`.
    """
    home = tools / package.folder
    tools.mkdir(parents=True, exist_ok=True)
    with FileLock(tools / f"{package.folder}.lock"):
        if not (home / ".ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            venv.create(home, with_pip=True)
            _install(package, home, environ)
            (home / ".ready").touch()
    return home


def _install(package: Package, home: Path, environ: Mapping[str, str]) -> None:
    wanted = home / "requirements.txt"
    wanted.write_text(" ".join([package.requirement, *(f"--hash=sha256:{one}" for one in package.sha256)]) + "\n")
    command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if package.sha256:
        command += ["--no-deps", "--require-hashes"]
    # A package that is built here may write into the home directory: it has one of its own, pip keeps its settings.
    own = {"HOME": str(home), "XDG_CONFIG_HOME": _configuration(environ)}
    try:
        done = subprocess.run(
            [*command, "--requirement", str(wanted)],
            env={**environ, **own},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        failure = "\n".join(done.stderr.strip().splitlines()[-4:]) if done.returncode else ""
    except subprocess.TimeoutExpired:
        failure = f"it didn't finish within {_SECONDS:.0f} s"
    if failure:
        shutil.rmtree(home, ignore_errors=True)
        message = f"{package.requirement} can't be installed from PyPI: {failure}"
        raise Invalid(
            Problem("download-failed", message, fix="check that pip can reach a package index (PIP_INDEX_URL)")
        )


def _configuration(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
