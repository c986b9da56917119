"""The wheel and the source distribution: what is in them, and that what was installed from them works.

Each is installed with its dependencies into an environment that has nothing else, and called from a folder that has
nothing to do with a clone; the wheel with its extra `local` too. Not tried: other systems than this one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OWN_UV = ROOT / ".tools" / "uv" / "bin" / "uv"


def build(into: Path) -> dict[str, Path]:
    """Kind → file. The wheel is made of the source distribution, so that both are whole."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {"wheel": next(into.glob("*.whl")), "sdist": next(into.glob("*.tar.gz"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("dist"))


def install(package: Path, environment: Path, extra: str = "") -> Path:
    """With uv where the set-up has it, else with pip, as it does itself. Gives the folder of programs."""
    uv = shutil.which("uv") or (str(OWN_UV) if OWN_UV.is_file() else "")
    subprocess.run([sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), str(environment)], check=True)
    python = environment / "bin" / "python"
    pip = [uv, "pip", "install", "--quiet", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    done = subprocess.run([*pip, f"{package}{extra}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return environment / "bin"


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def programs(request: pytest.FixtureRequest, built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(built[request.param], tmp_path_factory.mktemp("installed") / "venv")


def call(programs: Path, folder: Path, *argv: str) -> tuple[int, str, str]:
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        [programs / "orchestrate", *argv], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_wheel_holds_the_package_and_what_it_reads_and_nothing_else(built: dict[str, Path]) -> None:
    names = zipfile.ZipFile(built["wheel"]).namelist()
    parts = ("data", "dist-info")
    assert {name.split("/")[0] for name in names} == {
        "orchestrator",
        *(f"onyx_orchestrator-0.1.0.{one}" for one in parts),
    }
    manual = "onyx_orchestrator-0.1.0.data/data/share/man/man1"
    assert {f"{manual}/orchestrate.1", f"{manual}/orchestrate-run.1"} <= set(names)
    wanted = {"terraform/main.tf", "hooks/orchestrate.mk", "reference/problems.md", "reference/contract.schema.json"}
    assert {f"orchestrator/share/{one}" for one in wanted} <= set(names)
    assert [name for name in names if "tfstate" in name or ".terraform/" in name or "__pycache__" in name] == []


def test_the_source_distribution_holds_what_the_wheel_is_made_of(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    folders = {"docs", "hooks", "orchestrator", "terraform"}
    assert tops == folders | {".gitignore", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "sbom.cdx.json"}


def test_the_wheel_says_what_it_needs_in_which_versions(built: dict[str, Path]) -> None:
    """Its bill of materials (PEP 770) names every requirement that is not an extra's, each pinned and with hashes."""
    archive = zipfile.ZipFile(built["wheel"])
    bill = json.loads(archive.read("onyx_orchestrator-0.1.0.dist-info/sboms/sbom.cdx.json"))
    metadata = archive.read("onyx_orchestrator-0.1.0.dist-info/METADATA").decode()
    wanted = [Requirement(line.split(": ", 1)[1]) for line in metadata.splitlines() if line[:14] == "Requires-Dist:"]
    needed = {canonicalize_name(one.name) for one in wanted if not (one.marker and "extra" in str(one.marker))}
    listed = {canonicalize_name(one["name"]): one for one in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert needed - set(listed) == set()
    unpinned = [
        name for name, one in listed.items() if not one["version"] or not one["externalReferences"][0]["hashes"]
    ]
    assert unpinned == []


def test_the_same_sources_make_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    again = build(tmp_path)
    for kind, file in built.items():
        assert digest(again[kind]) == digest(file), kind


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_installed_wheel_says_what_it_is_and_explains_its_codes(programs: Path, tmp_path: Path) -> None:
    assert call(programs, tmp_path, "--version")[:2] == (0, "orchestrate, version 0.1.0\n")
    status, help_, _ = call(programs, tmp_path, "--help")
    assert (status, " apply " in help_) == (0, True)
    status, help_, _ = call(programs, tmp_path, "demo", "--help")
    assert (status, "Run the whole story" in help_) == (0, True)
    status, text, _ = call(programs, tmp_path, "explain", "wrong-account")
    assert (status, text.splitlines()[0]) == (0, "# wrong-account")


@pytest.mark.parametrize("argv", [["demo"], ["local", "up"]], ids=" ".join)
def test_without_the_extra_one_line_says_which_is_needed(programs: Path, tmp_path: Path, argv: list[str]) -> None:
    status, out, err = call(programs, tmp_path, *argv)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "[local-extra-missing] Fix: install orchestrate with its `local` extra" in err


def test_an_installed_wheel_reads_a_contract_and_says_what_its_stack_needs(programs: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "unit" / "cli" / "contract.json", tmp_path / "contract.json")
    status, policy, err = call(programs, tmp_path, "policy", "status", "--contract", "contract.json", "--json")
    assert status == 0, err
    assert "ecs:DescribeServices" in policy


@pytest.mark.cloud
def test_an_installed_wheel_brings_a_stack_to_life_on_its_own_local_cloud(
    built: dict[str, Path], tmp_path: Path
) -> None:
    programs = install(built["wheel"], tmp_path / "venv", "[local]")
    status, said, err = call(programs, tmp_path, "local", "up", "--stack", "1", "--speed", "300")
    try:
        assert status == 0, said + err
        assert "answers with HTTP 200" in said
        stack = tmp_path / ".orchestrate" / "local" / "default" / "stack"
        status, exports, _ = call(programs, tmp_path, "local", "env")
        assert status == 0
        looked = subprocess.run(
            ["sh", "-c", f"{exports}\nexec orchestrate run"],
            cwd=stack,
            env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (looked.returncode, "succeeded, changed: 0" in looked.stdout) == (0, True), looked
    finally:
        call(programs, tmp_path, "local", "down")
