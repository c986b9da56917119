"""constraints.txt: everything that pyproject.toml asks for is in it, in a version that it allows, with its hashes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = [
    *WANTED["project"]["dependencies"],
    *(one for extra in WANTED["project"]["optional-dependencies"].values() for one in extra),
    *WANTED["dependency-groups"]["dev"],
]
LOCKED = (ROOT / "constraints.txt").read_text()
PINNED = [line.removesuffix(" \\") for line in LOCKED.splitlines() if line and line[0] not in "# "]


@pytest.mark.parametrize("wanted", REQUIREMENTS)
def test_what_is_asked_for_is_pinned_in_a_version_that_is_allowed(wanted: str) -> None:
    asked = Requirement(wanted)
    found = [Requirement(one) for one in PINNED]
    versions = [str(one.specifier).removeprefix("==") for one in found if same(one.name, asked.name)]
    assert versions != []
    assert [one for one in versions if one not in asked.specifier] == []


def same(one: str, other: str) -> bool:
    return canonicalize_name(one) == canonicalize_name(other)


def test_every_pin_has_hashes_and_no_index_is_named() -> None:
    entries = LOCKED.replace(" \\\n", " ").splitlines()
    assert [line for line in entries if line and line[0] != "#" and "--hash=sha256:" not in line] == []
    assert "://" not in LOCKED
    assert "file:" not in LOCKED
