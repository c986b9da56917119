from __future__ import annotations

import re
import tomllib
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from orchestrator.errors import Invalid
from orchestrator.settings import PREFIX, SETTINGS, VARIABLES, Settings, schema

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("text", ["services=900,runner=60", "services=900, runner=60", "services=15m,runner=1m"])
def test_step_timeouts(text: str) -> None:
    assert Settings({"step_timeouts": text})["step-timeouts"] == {"services": 900.0, "runner": 60.0}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90", 90), (90, 90), ("1.5", 1.5), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172800)],
)
def test_durations(value: str | float, seconds: float) -> None:
    assert Settings({"timeout": value})["timeout"] == seconds


@pytest.mark.parametrize("value", ["", "often", "10 minutes", "-5", "0", "8d", "nan", "inf", "1e400", "m", "P1D"])
def test_what_is_no_duration(value: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings({"timeout": value})
    assert [problem.context for problem in caught.value.problems] == ["--timeout"]


@pytest.mark.parametrize("value", [0, "0", "0s"])
def test_some_durations_may_be_none(value: str | int) -> None:
    assert Settings({"lock_timeout": value})["lock-timeout"] == 0


WRITTEN = {
    "resolver": "192.0.2.53:53",
    "lock": "s3://locks/a/b",
    "step-timeouts": "services=900,runner=60",
    "adopt-database": "a,b",
    "settle": "10",
    "database-transport": "direct",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_value_is_shown_as_it_would_be_typed(name: str) -> None:
    flags = {name.replace("-", "_"): WRITTEN[name]}
    assert SETTINGS[name].written(Settings(flags)[name]) == WRITTEN[name]


TABLES = [
    ("timeout = '10m'", True),
    ("timeout = 600", True),
    ("step-timeouts = { services = '15m', runner = 60 }", True),
    ("adopt-database = ['a', 'b']", True),
    ("adopt-database = 'a,b'", True),
    ("[contract]\nstack = 's'", True),
    ("site-port = 8443", True),
    ("timout = 1", False),
    ("timeout = []", False),
    ("site-port = 0", False),
    ("database-transport = 'carrier pigeon'", False),
]


@pytest.mark.parametrize(("text", "right"), TABLES)
def test_the_schema_for_editors_agrees_with_what_is_read(text: str, right: bool, tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    (tmp_path / "orchestrate.toml").write_text(text)
    assert validator.is_valid(tomllib.loads(text)) == right
    if right:
        Settings(directory=tmp_path)
    else:
        with pytest.raises(Invalid):
            Settings(directory=tmp_path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ORCHESTRATE_TIMOUT", "did you mean ORCHESTRATE_TIMEOUT?"),
        ("ORCHESTRATE_CONTRACTS", "did you mean ORCHESTRATE_CONTRACT?"),
        ("ORCHESTRATE_Q", "known variables: ORCHESTRATE_PROFILE, "),
    ],
)
def test_a_misspelt_variable_is_an_error_with_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings({}, {name: "60"})
    (problem,) = caught.value.problems
    assert (problem.code, problem.context) == ("setting-unknown", "environment")
    assert name in problem.message
    assert problem.fix.startswith(hint)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings({}, {"ORCHESTRATE_TIMOUT": "", "ORCHESTRATE_POLL": ""})["poll"] is None


def test_every_variable_that_is_read_is_known_and_no_other() -> None:
    files = [*(ROOT / "orchestrator").rglob("*.py"), *(ROOT / "hooks").rglob("*"), *(ROOT / "terraform").rglob("*.tf")]
    texts = "".join(
        file.read_text(encoding="utf-8") for file in files if file.is_file() and ".terraform" not in str(file)
    )
    known = {one.variable for one in SETTINGS.values()} | set(VARIABLES)
    # The makefile's own path to itself is no variable of the environment.
    written = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", texts)) - {"ORCHESTRATE_MK"}
    assert written <= known
    assert set(VARIABLES) <= written


@pytest.mark.parametrize("text", ["admin", "arn:aws:iam::1:role/x", "arn:aws:sts::123456789012:assumed-role/x/y"])
def test_a_role_is_named_by_its_arn(text: str) -> None:
    assert Settings({"role": "arn:aws:iam::123456789012:role/ops/onyx"})["role"].endswith("/onyx")
    with pytest.raises(Invalid) as caught:
        Settings({"role": text})
    assert [one.context for one in caught.value.problems] == ["--role"]
