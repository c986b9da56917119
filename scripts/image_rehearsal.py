"""Runs the Dockerfile's steps without Docker: each stage in a root of its own that debootstrap made. Needs root.

`make image-rehearsal`. In the end it calls what the image holds, as the image's user, and says how large it is. What
can't be fetched from here is played, and said so: Terraform's release by the program on this machine, the session
plugin by a package that holds a script. Not tried: Docker itself, its layers and caches, another processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import urllib3
from dockerfile_parse import DockerfileParser

from orchestrator.errors import OrchestratorError
from orchestrator.local.toolchain import release, toolchain

ROOT = Path(__file__).resolve().parent.parent
MIRROR = "http://deb.debian.org/debian"
REACHED_BY = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
"""Variables of this machine by which a registry is reached."""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
CHECKED = (
    "orchestrate --version",
    "orchestrate explain wrong-account",
    "terraform version",
    "session-manager-plugin --version",
    "python3 -c 'import boto3, psycopg'",
    "test $(id -u) = 10001",
    "touch here",
    "! touch /opt/orchestrate/there",
)


@dataclass
class Stage:
    """An image in the making: `root` is its file system, the rest is what the next step finds."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0"

    def run(self, command: str) -> None:
        """As RUN does, with /proc, this machine's way to registries, and nothing else of it."""
        with _lent(self.root) as lent:
            variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
            variables |= lent | self.arguments | self.environment
            told = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())]
            shell = ["/bin/sh", "-c", f"cd {shlex.quote(self.folder)} && {command}"]
            inside = shlex.join(["chroot", f"--userspec={self.user}:{self.user}", str(self.root), *told, *shell])
            script = f"mount -t proc proc {self.root}/proc && exec {inside}"
            subprocess.run(["unshare", "--mount", "--", "sh", "-c", script], check=True)


def main() -> int:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("this needs root and debootstrap (apt-get install debootstrap)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="image-rehearsal-") as folder:
        Path(folder).chmod(0o755)
        with _publishers(Path(folder) / "published") as arguments:
            stage = _built(Path(folder), arguments)
        for command in CHECKED:
            print(f"$ {command}", flush=True)
            stage.run(command)
        size = subprocess.run(["du", "-sm", stage.root], capture_output=True, text=True, check=True).stdout.split()[0]
        print(f"all steps ran; the image's files: {size} MB (uncompressed, Debian included)")
    return 0


def _built(folder: Path, arguments: Mapping[str, str]) -> Stage:
    """The last stage, when every step has run."""
    base, stages, names = _debian(folder / "base"), list[Stage](), dict[str, Stage]()
    for step in DockerfileParser(str(ROOT / "Dockerfile")).structure:
        kind, value = step["instruction"], step["value"]
        if kind == "COMMENT":
            continue
        print(f"{kind} {' '.join(value.split())}", flush=True)
        if kind == "FROM":
            words = value.split()
            root = folder / f"stage-{len(stages)}"
            subprocess.run(["cp", "--archive", "--reflink=auto", base, root], check=True)
            stages.append(Stage(root))
            names[words[-1]] = stages[-1]
        else:
            _step(stages[-1], kind, value, names, arguments)
    return stages[-1]


def _step(stage: Stage, kind: str, value: str, names: Mapping[str, Stage], arguments: Mapping[str, str]) -> None:
    match kind:
        case "RUN":
            stage.run(value)
        case "ARG":
            name, _, default = value.partition("=")
            stage.arguments[name] = arguments.get(name, default)
        case "ENV":
            name, _, said = value.partition("=")
            stage.environment[name] = said
        case "WORKDIR":
            stage.folder = value
            (stage.root / value.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = value
        case "COPY":
            _copied(stage, value.split(), names)
        case "ENTRYPOINT":
            stage.run(f"command -v {json.loads(value)[0]}")
        case _:
            raise SystemExit(f"{kind} is not rehearsed")


def _copied(stage: Stage, words: Sequence[str], names: Mapping[str, Stage]) -> None:
    """From another stage, or of the sources what is committed or about to be."""
    target = stage.root / str(Path(stage.folder) / words[-1]).lstrip("/")
    if words[0].startswith("--from="):
        subprocess.run(["cp", "--archive", names[words[0][7:]].root / words[1].lstrip("/"), target], check=True)
        return
    for source in words[:-1]:
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", source]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
            place = target / name if words[-1].endswith("/") else target / Path(name).relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)


def _debian(root: Path) -> Path:
    """What `debian:trixie-slim` begins with."""
    subprocess.run(["debootstrap", "--variant=minbase", "trixie", root, MIRROR], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root / "var/cache/apt/archives")
    shutil.rmtree(root / "var/lib/apt/lists")
    shutil.rmtree(root / "usr/share/doc")
    return root


@contextmanager
def _lent(root: Path) -> Iterator[Mapping[str, str]]:
    """What a step borrows of this machine to reach a registry: names, authorities, variables; taken back afterwards."""
    resolver, authorities = root / "etc/resolv.conf", root / "lent-authorities.crt"
    shutil.copy("/etc/resolv.conf", resolver)
    shutil.copy(AUTHORITIES, authorities)
    inside = f"/{authorities.name}"
    try:
        yield {name: os.environ[name] for name in REACHED_BY if name in os.environ} | {
            "PIP_CERT": inside,
            "SSL_CERT_FILE": inside,
            "CURL_CA_BUNDLE": inside,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "DEBIAN_FRONTEND": "noninteractive",
        }
    finally:
        authorities.unlink()
        resolver.unlink()


@contextmanager
def _publishers(folder: Path) -> Iterator[Mapping[str, str]]:
    """Build arguments that say where to fetch from: nothing for a publisher who can be reached."""
    played: dict[str, str] = {}
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        if not _reached(f"{release.PUBLISHER}/terraform/{release.VERSION}/{release.Release().sums}"):
            _terraform(folder / "terraform" / release.VERSION)
            played["ORCHESTRATE_RELEASES_URL"] = base
            print(f"played: Terraform's release, by the program of this machine ({release.PUBLISHER} can't be reached)")
        plugin = "https://s3.amazonaws.com/session-manager-downloads/plugin/latest"
        if not _reached(f"{plugin}/ubuntu_64bit/session-manager-plugin.deb"):
            _plugin(folder)
            played["SESSION_PLUGIN_URL"] = base
            print("played: the session plugin, by a script (AWS's download can't be reached)")
        yield played
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing of each request."""


def _reached(url: str) -> bool:
    try:
        return bool(release.connections(url).request("HEAD", url, timeout=5, retries=False).status == 200)
    except urllib3.exceptions.HTTPError:
        return False


def _terraform(folder: Path) -> None:
    try:
        program = toolchain.prepare().program.path
    except OrchestratorError as error:
        raise SystemExit(str(error)) from None
    one = release.Release()
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / one.archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(program, "terraform")
    digest = hashlib.sha256((folder / one.archive).read_bytes()).hexdigest()
    (folder / one.sums).write_text(f"{digest}  {one.archive}\n")


def _plugin(folder: Path) -> None:
    tree, place = folder / "plugin", folder / "ubuntu_64bit" / "session-manager-plugin.deb"
    program = tree / "usr/local/sessionmanagerplugin/bin/session-manager-plugin"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho played\n")
    program.chmod(0o755)
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text("Package: played\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: played\n")
    place.parent.mkdir()
    subprocess.run(["dpkg-deb", "--build", tree, place], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree(place.parent, folder / "ubuntu_arm64")


if __name__ == "__main__":
    sys.exit(main())
