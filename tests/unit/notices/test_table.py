"""The table `[notify]`: every defect at once, never a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.settings import Settings


def problems(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "orchestrate.toml").write_text(text)
    with pytest.raises(Invalid) as raised:
        Settings(directory=folder)
    return [(one.code, one.context.partition("orchestrate.toml: ")[2], one.message) for one in raised.value.problems]


def test_every_defect_is_told_at_once_without_its_value(tmp_path: Path) -> None:
    found = problems(
        tmp_path, '[notify]\nwebhook = "ftp://secret"\nwebhook-key = "secret-in-clear"\nslak = "secret"\ncommand = "x"'
    )
    assert [(code, place) for code, place, _ in found] == [
        ("notify-invalid", "notify.webhook"),
        ("notify-invalid", "notify.webhook-key"),
        ("notify-invalid", "notify.command"),
        ("notify-invalid", "notify.slak"),
    ]
    assert "secret" not in "".join(message for _, _, message in found)
    assert found[0][2] == "it must be https://… or env:NAME"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('on = ["broken"]', "on: 'broken' is not an outcome; the outcomes are "),
        ('webhook-key = "env:KEY"', "webhook-key: there is no webhook to sign for"),
    ],
)
def test_what_does_not_fit_together(tmp_path: Path, table: str, message: str) -> None:
    ((code, place, said),) = problems(tmp_path, f"[notify]\n{table}")
    assert (code, place) == ("notify-invalid", "notify")
    assert said.startswith(message)


def test_a_table_is_wanted(tmp_path: Path) -> None:
    ((code, place, _),) = problems(tmp_path, 'notify = "me"')
    assert (code, place) == ("notify-invalid", "notify")


def test_without_it_nobody_is_told(tmp_path: Path) -> None:
    assert Settings(directory=tmp_path).notices is None
