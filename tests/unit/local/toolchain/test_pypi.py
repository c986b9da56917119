"""A package from an index of our own: what its hash says, and where it writes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.local.toolchain.pypi import Package, installed


@pytest.fixture
def index(tmp_path: Path) -> dict[str, str]:
    """The environment of a pip that knows one package only, `greeting`."""
    folder = tmp_path / "index"
    folder.mkdir()
    about = "greeting-1.0.dist-info"
    files = {
        "greeting.py": 'print("hello")\n',
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(wheel(tmp_path), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")} | own


def wheel(folder: Path) -> Path:
    return folder / "index" / "greeting-1.0-py3-none-any.whl"


def test_a_package_is_installed_once_and_found_again(tmp_path: Path, index: dict[str, str]) -> None:
    package = Package("greeting==1.0", (hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest(),))
    home = installed(package, tmp_path / "tools", index)
    said = subprocess.run([home / "bin" / "python", "-I", "-m", "greeting"], capture_output=True, text=True, check=True)
    assert said.stdout == "hello\n"
    assert not (tmp_path / "home").exists()
    wheel(tmp_path).unlink()
    assert installed(package, tmp_path / "tools", index) == home


def test_another_file_than_the_pinned_one_is_refused_and_nothing_stays(tmp_path: Path, index: dict[str, str]) -> None:
    package = Package("greeting==1.0", ("0" * 64,))
    with pytest.raises(Invalid) as caught:
        installed(package, tmp_path / "tools", index)
    (problem,) = caught.value.problems
    assert (problem.code, bool(problem.fix)) == ("download-failed", True)
    assert f"Expected sha256 {'0' * 64}" in problem.message
    assert not (tmp_path / "tools" / package.folder).exists()
