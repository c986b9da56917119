"""Tries the newest Python packages that pyproject.toml allows, in an environment of its own, for what they break.

`make newest`; CI does it last, and it fails nothing there: a release of somebody else's is no defect of a commit. What
was newer is said first, so that a failure below can be traced to it. The clone's own environment stays as it is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.setup import EDITABLE, LOCKED, ROOT, development_group, find_uv

PLACE = ROOT / "build" / "newest"
TRIED = (
    *(f"tests/unit/{room}" for room in ("aws", "dns", "fleet", "local", "terraform", "web")),
    *("tests/conformance/dns", "tests/e2e/test_run.py", "-q", "-n", "3", "--dist", "loadfile"),
)
"""What meets every package, in minutes; `make newest NEWEST_ARGS=tests` tries everything."""
_FAILED = re.compile(r"^(FAILED|ERROR) (\S+)")


def pins(lines: Iterable[str]) -> Mapping[str, str]:
    """Name → version, of the lines like `name==version` that are for this Python on this machine."""
    found = {}
    for line in lines:
        if "==" in line and line[0] not in "# -":
            pinned = Requirement(line.removesuffix(" \\"))
            if pinned.marker is None or pinned.marker.evaluate():
                found[str(canonicalize_name(pinned.name))] = str(pinned.specifier).removeprefix("==")
    return found


def newer(locked: Mapping[str, str], newest: Mapping[str, str]) -> Sequence[str]:
    """What differs, a line each."""
    return [
        f"{name}: {locked.get(name, 'not locked')} → {version}"
        for name, version in sorted(newest.items())
        if locked.get(name) != version
    ]


def main() -> int:
    started = time.monotonic()
    uv = find_uv()
    if uv is None:
        print("this needs uv, which could not be installed", file=sys.stderr)
        return 1
    python = PLACE / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, PLACE], check=True)
    pip = [uv, "pip", "--quiet"]
    wanted = ["--editable", EDITABLE, *development_group()]
    subprocess.run([*pip, "install", "--python", python, "--upgrade", *wanted], cwd=ROOT, check=True)
    frozen = subprocess.run([*pip, "freeze", "--python", python], stdout=subprocess.PIPE, text=True, check=True).stdout
    changed = newer(pins((ROOT / LOCKED).read_text().splitlines()), pins(frozen.splitlines()))
    if not changed and not sys.argv[1:]:
        print("constraints.txt has the newest of all: there is nothing to try")
        return 0
    print("\n".join(["other versions than in constraints.txt:", *changed]), flush=True)
    told = [str(python), "-m", "pytest", "-rfE", *(sys.argv[1:] or TRIED)]
    with subprocess.Popen(told, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        failed = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            failed += [found[2]] if (found := _FAILED.match(line)) else []
    if process.returncode:
        print(f"the newest packages break {len(failed) or 'the run itself'}: {' '.join(failed)}")
        return 1
    print(f"the newest packages break nothing ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
