"""The AWS provider where the registry can't be reached: a filesystem mirror found on the machine.

A mirror is a folder that holds `HOST/hashicorp/aws/…`, packed (zip files) or unpacked (`VERSION/OS_ARCH/`), see
https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import urllib3

from orchestrator.local.toolchain.release import connections, this_platform

PROVIDER = "hashicorp/aws"
MINIMUM, BELOW = (5, 100), (6,)
"""Of the versions that terraform/ allows (`>= 5.100, < 7`) those that its stacks on a local cloud are tried with."""
TRIED = "5.100.0"
"""What is fetched for them where no mirror is found: another release may ask for what a local cloud doesn't play."""

_WIDE_ROOTS = ("/opt", "/usr/local", "/usr/lib", "/var/lib", "~")
_DEPTH = 5
_SECONDS = 2.0
_PATH = re.compile(r'^\s*path\s*=\s*"([^"]+)"', re.MULTILINE)
_PACKED = re.compile(r"terraform-provider-aws_([0-9.]+)_(.+)\.zip")


def reachable(host: str, seconds: float = 3.0) -> bool:
    """Whether the registry answers its service discovery. Bounded: a resolver that hangs counts as no."""
    answered = threading.Event()

    def ask() -> None:
        url = f"https://{host}/.well-known/terraform.json"
        try:
            response = connections(url).request("GET", url, timeout=seconds, retries=False)
        except urllib3.exceptions.HTTPError:
            return
        if response.status == 200:
            answered.set()

    # The thread is a daemon, because no time-out of ours bounds the system's name resolution.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def find(host: str, environ: Mapping[str, str], wide_roots: Iterable[str] = _WIDE_ROOTS) -> Path | None:
    """The first folder that has a fitting AWS provider of this host for this machine, or None."""
    home = Path(environ.get("HOME", "~")).expanduser()
    for place in usual_places(environ):
        if holds(place, host):
            return place
    roots = [home if root == "~" else Path(root) for root in wide_roots]
    for place in _folders(roots, deadline=time.monotonic() + _SECONDS):
        if holds(place, host):
            return place
    return None


def usual_places(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Terraform itself looks, its plugin cache, and what an existing CLI configuration names."""
    home = Path(environ.get("HOME", "~")).expanduser()
    config = cli_config(environ)
    if config is not None:
        yield from (Path(path).expanduser() for path in _PATH.findall(config.read_text(errors="replace")))
    if cache := environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache)
    yield home / ".terraform.d" / "plugins"
    yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
    shared = [environ.get("XDG_DATA_HOME") or str(home / ".local/share")]
    shared += (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    yield from (Path(folder) / "terraform" / "plugins" for folder in shared if folder)


def cli_config(environ: Mapping[str, str]) -> Path | None:
    """The user's CLI configuration file, if there is one."""
    home = Path(environ.get("HOME", "~")).expanduser()
    named = environ.get("TF_CLI_CONFIG_FILE")
    candidates = [Path(named)] if named else [home / ".terraformrc", home / ".tofurc"]
    return next((path for path in candidates if path.is_file()), None)


def holds(mirror: Path, host: str) -> bool:
    """Whether the folder is a mirror with a version of the AWS provider that fits."""
    return bool(versions(mirror, host))


def versions(mirror: Path, host: str) -> list[str]:
    """The fitting versions of the AWS provider in this folder, for this machine, the newest last."""
    folder = mirror / host / PROVIDER
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    target = this_platform()
    unpacked = [name for name in names if _fits(name) and (folder / name / target).is_dir()]
    packed = [found for found in map(_PACKED.fullmatch, names) if found]
    fitting = {*unpacked, *(found[1] for found in packed if _fits(found[1]) and found[2] == target)}
    return sorted(fitting, key=_numbers)


def _fits(version: str) -> bool:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
        return False
    return MINIMUM <= _numbers(version) < BELOW


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _folders(roots: Iterable[Path], deadline: float) -> Iterator[Path]:
    """Folders breadth first, at most `_DEPTH` below a root, until the deadline. Links are not followed."""
    level = [root for root in roots if root.is_dir()]
    for _ in range(_DEPTH):
        below: list[Path] = []
        for folder in level:
            if time.monotonic() > deadline:
                return
            yield folder
            below += _children(folder)
        level = below


def _children(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []  # not ours to read


def lock(host: str, chosen: Mapping[str, str]) -> str:
    """A dependency lock file that chooses these versions (by `NAMESPACE/NAME`), without checksums."""
    return "".join(f'provider "{host}/{name}" {{\n  version = "{version}"\n}}\n' for name, version in chosen.items())


def configuration(mirrors: Mapping[str, Path], host: str) -> str:
    """A CLI configuration that takes each of these providers from its mirror and everything else as usual."""
    blocks = "".join(
        f'  filesystem_mirror {{\n    path    = "{_quoted(mirror)}"\n    include = ["{host}/{name}"]\n  }}\n'
        for name, mirror in mirrors.items()
    )
    others = ", ".join(f'"{host}/{name}"' for name in mirrors)
    return f"provider_installation {{\n{blocks}  direct {{\n    exclude = [{others}]\n  }}\n}}\n"


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
