"""The archive: new, its owner's alone, whole or not at all."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.doctor import bundle
from orchestrator.errors import Invalid

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MEMBERS = {"findings.jsonl": '{"code": "x"}\n', "logs/a.log": "ein Fehler: ä\n"}


def read(path: Path) -> dict[str, str]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}
    with tarfile.open(path) as tar:
        return {name: file.read().decode() for name in tar.getnames() if (file := tar.extractfile(name))}


@pytest.mark.parametrize("name", ["case.zip", "case.tar.gz", "case.tgz"])
def test_what_was_packed_is_there_and_its_owner_s_alone(tmp_path: Path, name: str) -> None:
    bundle.write(tmp_path / name, MEMBERS, AT)
    assert read(tmp_path / name) == MEMBERS
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "case.zip").write_text("mine")
    (tmp_path / "link.zip").symlink_to(tmp_path / "nowhere")
    for name in ("case.zip", "link.zip"):
        with pytest.raises(Invalid, match="bundle-exists"):
            bundle.write(tmp_path / name, MEMBERS, AT)
    assert (tmp_path / "case.zip").read_text() == "mine"


def test_all_that_is_wrong_with_a_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "case.rar").touch()
    with pytest.raises(Invalid) as error:
        bundle.check(tmp_path / "case.rar")
    assert [one.code for one in error.value.problems] == ["bundle-kind-unknown", "bundle-exists"]
    with pytest.raises(Invalid, match="bundle-unwritable"):
        bundle.check(tmp_path / "gone" / "case.zip")


def test_half_an_archive_is_none(tmp_path: Path) -> None:
    broken = {"a": "fine", "b": None}
    with pytest.raises(AttributeError):
        bundle.write(tmp_path / "case.tar.gz", broken, AT)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
