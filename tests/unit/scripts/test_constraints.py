"""constraints.txt: everything that pyproject.toml asks for is in it, in a version that it allows, with its hashes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.setup import POSTGRES_WHEEL

ROOT = Path(__file__).resolve().parents[3]
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = [
    *WANTED["project"]["dependencies"],
    *(one for extra in WANTED["project"]["optional-dependencies"].values() for one in extra),
    *WANTED["dependency-groups"]["dev"],
]
LOCKED = (ROOT / "constraints.txt").read_text()
POSTGRES = (ROOT / "constraints-postgres.txt").read_text()


def _names(text: str) -> list[str]:
    return [line.removesuffix(" \\") for line in text.splitlines() if line and line[0] not in "# "]


PINNED = _names(LOCKED)


@pytest.mark.parametrize("wanted", REQUIREMENTS)
def test_what_is_asked_for_is_pinned_in_a_version_that_is_allowed(wanted: str) -> None:
    asked = Requirement(wanted)
    found = [Requirement(one) for one in PINNED]
    versions = [str(one.specifier).removeprefix("==") for one in found if same(one.name, asked.name)]
    assert versions != []
    assert [one for one in versions if one not in asked.specifier] == []


def same(one: str, other: str) -> bool:
    return canonicalize_name(one) == canonicalize_name(other)


@pytest.mark.parametrize("text", [LOCKED, POSTGRES], ids=["all", "PostgreSQL's wheel"])
def test_every_pin_has_hashes_and_no_index_is_named(text: str) -> None:
    entries = text.replace(" \\\n", " ").splitlines()
    assert [line for line in entries if line and line[0] != "#" and "--hash=sha256:" not in line] == []
    assert "://" not in text
    assert "file:" not in text


def test_postgresqls_wheel_is_pinned_and_what_it_needs_is_as_in_the_other_file() -> None:
    pinned = {canonicalize_name(one.name): one for one in map(Requirement, _names(POSTGRES))}
    wheel = Requirement(POSTGRES_WHEEL)
    version = str(pinned[canonicalize_name(wheel.name)].specifier).removeprefix("==")
    assert wheel.specifier.contains(version)
    others = {canonicalize_name(one.name): one for one in map(Requirement, PINNED)}
    shared = pinned.keys() & others.keys()
    assert [name for name in shared if pinned[name].specifier != others[name].specifier] == []
