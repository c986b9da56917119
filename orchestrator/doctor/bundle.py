"""An archive of evidence for a colleague: made once, readable by its owner alone, never in place of another file."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import Invalid, OrchestratorError, Problem

SUFFIXES = (".zip", ".tar.gz", ".tgz")


def check(path: Path) -> None:
    """Raise `Invalid` for what could not be written in the end: better before anything takes time."""
    problems = []
    if not path.name.endswith(SUFFIXES):
        fix = f"end it with one of {', '.join(SUFFIXES)}"
        problems.append(
            Problem("bundle-kind-unknown", f"{path.name} is not a supported archive format", "--bundle", fix)
        )
    if path.exists() or path.is_symlink():
        problems.append(Problem("bundle-exists", f"{path} already exists", "--bundle", "name another file"))
    elif not path.parent.is_dir():
        problems.append(
            Problem("bundle-unwritable", f"there is no folder {path.parent}", "--bundle", "create it first")
        )
    if problems:
        raise Invalid(*problems)


def write(path: Path, members: Mapping[str, str], at: datetime) -> None:
    """The archive of `members` (name → text), mode 0600. Raises an `OrchestratorError`, and then leaves no file."""
    check(path)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Invalid(Problem("bundle-unwritable", str(error), "--bundle", "name a file that can be created")) from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            (_zip if path.name.endswith(".zip") else _tar)(out, members, at)
    except BaseException as error:  # also Ctrl-C: no half archive stays
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            fix = "free some space, or name a file elsewhere"
            raise OrchestratorError(Problem("bundle-unwritable", str(error), "--bundle", fix)) from None
        raise


def _zip(out: BinaryIO, members: Mapping[str, str], at: datetime) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            member = zipfile.ZipInfo(name, at.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            archive.writestr(member, text)


def _tar(out: BinaryIO, members: Mapping[str, str], at: datetime) -> None:
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in members.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o600, int(at.timestamp())
            archive.addfile(member, io.BytesIO(content))
