"""A published release of Terraform, downloaded and verified.

Terraform rather than OpenTofu, because every fact this project stands on was measured with it. Its licence (Business
Source License 1.1) allows running it for one's own infrastructure; nothing of it is redistributed here: the user's
machine fetches it from its publisher. Who wants OpenTofu (MPL 2.0) puts `tofu` on PATH, and nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from orchestrator.errors import Invalid, Problem

PUBLISHER = "https://releases.hashicorp.com"
VERSION = "1.11.4"
_MACHINES: Mapping[str, str] = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
FIX = "install Terraform >= 1.11 or OpenTofu >= 1.11 and put it on PATH, or set TERRAFORM_BIN=/path/to/it"


@dataclass(frozen=True, slots=True)
class Release:
    """What to fetch: `BASE/terraform/VERSION/terraform_VERSION_OS_ARCH.zip`, and `…_SHA256SUMS` beside it."""

    base: str = PUBLISHER
    version: str = VERSION
    target: str = ""

    @property
    def archive(self) -> str:
        """The archive's file name for this machine."""
        return f"terraform_{self.version}_{self.target or this_platform()}.zip"

    @property
    def folder(self) -> str:
        """The URL under which the release's files are."""
        return f"{self.base.rstrip('/')}/terraform/{self.version}"

    @property
    def sums(self) -> str:
        """The file name of the published checksums."""
        return f"terraform_{self.version}_SHA256SUMS"

    def place(self, tools: Path) -> Path:
        """Where the program is once it is installed in a tool folder."""
        return tools / f"terraform-{self.version}" / "terraform"


def this_platform() -> str:
    """`linux_amd64`, as Terraform's releases and providers name it."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{_MACHINES.get(machine, machine)}"


def install(release: Release, tools: Path) -> Path:
    """Download, verify, unpack and only then put in place (atomically). Returns the program's path.

    Raises Invalid `download-failed` or `checksum-mismatch`; either way nothing of the download stays behind.
    """
    place = release.place(tools)
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools, prefix="download-") as scratch:
        archive = Path(scratch) / release.archive
        expected = _published_checksum(release)
        actual = _download(f"{release.folder}/{release.archive}", archive)
        if actual != expected:
            raise _mismatch(release, expected, actual)
        program = Path(scratch) / "terraform"
        with zipfile.ZipFile(archive) as files, files.open("terraform") as packed, program.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        program.chmod(0o755)
        program.replace(place)
    return place


def _published_checksum(release: Release) -> str:
    url = f"{release.folder}/{release.sums}"
    with _get(url) as response:
        lines = _all(url, response).decode(errors="replace").splitlines()
    sums = {name.lstrip("*"): checksum for checksum, _, name in (line.strip().partition("  ") for line in lines)}
    if release.archive not in sums:
        raise _failed(url, f"it names no {release.archive}: there is no such release for this machine")
    return sums[release.archive].lower()


def _download(url: str, path: Path) -> str:
    """Stream into the file; returns the SHA-256 of what came."""
    digest = hashlib.sha256()
    with _get(url) as response, path.open("wb") as file:
        try:
            for chunk in response.stream(1 << 20):
                digest.update(chunk)
                file.write(chunk)
        except urllib3.exceptions.HTTPError as error:
            raise _failed(url, f"interrupted: {error}") from error
    return digest.hexdigest()


def _all(url: str, response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        return response.read()
    except urllib3.exceptions.HTTPError as error:
        raise _failed(url, f"interrupted: {error}") from error


def _get(url: str) -> urllib3.BaseHTTPResponse:
    timeout = urllib3.Timeout(connect=5, read=30)
    try:
        response = connections(url).request("GET", url, preload_content=False, timeout=timeout, retries=False)
    except urllib3.exceptions.HTTPError as error:
        raise _failed(url, f"{urlsplit(url).hostname} can't be reached ({type(error).__name__})") from error
    if response.status != 200:
        response.release_conn()
        raise _failed(url, f"HTTP status {response.status}")
    return response


def connections(url: str) -> urllib3.PoolManager:
    """urllib3 by way of the proxy that the environment names for this URL, if any."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    options: dict[str, Any] = {"ca_certs": bundle} if (bundle := os.environ.get("SSL_CERT_FILE")) else {}
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def _failed(url: str, why: str) -> Invalid:
    return Invalid(Problem("download-failed", f"terraform could not be downloaded: {why}", url, FIX))


def _mismatch(release: Release, expected: str, actual: str) -> Invalid:
    message = (
        f"the download of {release.archive} is damaged or not what was published ({actual[:12]}…, not {expected[:12]}…)"
    )
    fix = f"try again; if it happens again, don't trust this source, and {FIX}"
    return Invalid(Problem("checksum-mismatch", message, f"{release.folder}/{release.archive}", fix))
