from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.settings import Settings


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "orchestrate.toml").write_text("site-port = 1000\npoll = 3\n")
    environment = {"ORCHESTRATE_SITE_PORT": "2000"}
    sources = {
        "--site-port": Settings({"site_port": "3000"}, environment, tmp_path),
        "ORCHESTRATE_SITE_PORT": Settings({}, environment, tmp_path),
        f"{tmp_path}/orchestrate.toml: site-port": Settings({}, {}, tmp_path),
        "default": Settings(),
    }
    assert [it["site-port"] for it in sources.values()] == [3000, 2000, 1000, 443]
    for source, chosen in sources.items():
        assert chosen.all()["site-port"].source == source


def test_all_defects_at_once_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "orchestrate.toml").write_text("site_prot = 1\npoll = 'often'\n")
    environment = {"ORCHESTRATE_RESOLVER": "nowhere", "ORCHESTRATE_STEP_TIMEOUTS": "services"}
    with pytest.raises(Invalid) as caught:
        Settings({"site_port": "99999", "ca_file": "/no/such/file"}, environment, tmp_path)
    places = {problem.context for problem in caught.value.problems}
    file = tmp_path / "orchestrate.toml"
    assert places == {
        str(file),
        f"{file}: poll",
        "ORCHESTRATE_RESOLVER",
        "ORCHESTRATE_STEP_TIMEOUTS",
        "--site-port",
        "--ca-file",
    }
    unknown = next(problem for problem in caught.value.problems if problem.code == "setting-unknown")
    assert "site-port" in unknown.fix


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "orchestrate.toml").write_text("= nonsense")
    with pytest.raises(Invalid) as caught:
        Settings(directory=tmp_path)
    assert caught.value.problems[0].code == "settings-unreadable"


@pytest.mark.parametrize("text", ["services=900,runner=60", "services=900, runner=60"])
def test_step_timeouts(text: str) -> None:
    assert Settings({"step_timeouts": text})["step-timeouts"] == {"services": 900.0, "runner": 60.0}
