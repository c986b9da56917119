"""fleet.toml: what it says, every defect at once, and what is found without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.fleet.file import read


def stack(folder: Path, name: str, *, configured: bool = True) -> Path:
    made = folder / name
    made.mkdir(parents=True)
    if configured:
        (made / "orchestrate.toml").touch()
    return made


def test_what_is_written_is_read(tmp_path: Path) -> None:
    stack(tmp_path, "eu")
    (tmp_path / "contract.json").touch()
    (tmp_path / "fleet.toml").write_text(
        """
        database = "postgresql://fleet@db.example/fleet"
        lease = 12
        [limits]
        worker = 2
        [stacks.prod-eu]
        directory = "eu"
        contract = "contract.json"
        profile = "prod"
        region = "eu-central-1"
        labels = { env = "prod" }
        """
    )
    fleet = read(tmp_path / "fleet.toml", {})
    (one,) = fleet.stacks
    assert (fleet.database, fleet.lease, fleet.limits.worker, fleet.shared) == (
        "postgresql://fleet@db.example/fleet",
        12.0,
        2,
        True,
    )
    assert (one.name, one.directory, one.contract) == ("prod-eu", tmp_path / "eu", str(tmp_path / "contract.json"))
    assert (one.profile, one.labels, one.place) == ("prod", {"env": "prod"}, "prod/eu-central-1")
    assert one.environment["AWS_REGION"] == "eu-central-1"


def test_without_a_file_the_folders_with_an_orchestrate_toml_are_the_stacks(tmp_path: Path) -> None:
    for name in ("b", "group/c", "a"):
        stack(tmp_path, name)
    stack(tmp_path, "module", configured=False)
    fleet = read(tmp_path / "fleet.toml", {})
    assert [one.name for one in fleet.stacks] == ["a", "b", "group-c"]
    assert fleet.database == f"sqlite:///{tmp_path}/.orchestrate/fleet.sqlite"
    assert not fleet.shared


def test_discovered_stacks_stand_behind_the_written_ones_and_none_is_there_twice(tmp_path: Path) -> None:
    for name in ("stacks/one", "stacks/two"):
        stack(tmp_path, name)
    (tmp_path / "fleet.toml").write_text('discover = ["stacks/*"]\n[stacks.first]\ndirectory = "stacks/two"\n')
    assert [one.name for one in read(tmp_path / "fleet.toml", {}).stacks] == ["first", "stacks-one"]


def test_a_stack_may_be_a_state_in_s3_and_every_state_under_a_prefix_may_be_one(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(
        """
        discover = ["s3://states/prod/"]
        [stacks.eu]
        contract = "s3://states/prod/eu/terraform.tfstate"
        role = "arn:aws:iam::123456789012:role/orchestrate"
        """
    )
    keys = ("prod/eu/terraform.tfstate", "prod/us/big.tfstate", "prod/us/big.tfstate.orchestrate-lock")
    asked = []

    def states(prefix: str, environment: object) -> tuple[str, ...]:
        asked.append(prefix)
        return keys

    fleet = read(tmp_path / "fleet.toml", {}, states)
    assert asked == ["s3://states/prod/"]
    assert [(one.name, one.contract, one.place) for one in fleet.stacks] == [
        ("eu", "s3://states/prod/eu/terraform.tfstate", "123456789012/-"),
        ("us-big", "s3://states/prod/us/big.tfstate", "-/-"),
    ]
    assert fleet.stacks[0].directory == tmp_path / ".orchestrate" / "stacks" / "eu"


def test_who_hears_of_the_watch_and_how_many_calls_it_may_make(tmp_path: Path) -> None:
    stack(tmp_path, "a")
    text = 'discover = ["*"]\n[watch]\ncalls = 500\n[notify]\non = ["failed"]\nslack = "env:SLACK"\n'
    (tmp_path / "fleet.toml").write_text(text)
    fleet = read(tmp_path / "fleet.toml", {})
    assert fleet.notices is not None
    assert (fleet.watch_calls, fleet.notices.on, fleet.folder) == (500, ("failed",), tmp_path)


def test_the_variable_names_the_database(tmp_path: Path) -> None:
    stack(tmp_path, "a")
    found = read(tmp_path / "fleet.toml", {"ORCHESTRATE_FLEET_DATABASE": "postgresql://u:p@h/f"})
    assert found.database == "postgresql://u:p@h/f"


@pytest.mark.parametrize(
    ("text", "codes", "place"),
    [
        ("= nonsense", ["fleet-unreadable"], "fleet.toml"),
        ("", ["fleet-empty"], "fleet.toml"),
        ("[stakcs.a]", ["fleet-invalid"], "stakcs"),
        ('database = "postgresql://u:secret@h/f"', ["fleet-invalid"], "database"),
        ('[stacks."a:b"]\ndirectory = "."', ["fleet-invalid"], "stacks.a:b"),
        ('[stacks.a]\ndirectory = "gone"\ncontract = "gone"', ["fleet-invalid", "fleet-invalid"], "stacks.a.directory"),
        ('[stacks.a]\ndirectory = "."\nenvironment = { AWS_SECRET_ACCESS_KEY = "x" }', ["fleet-secret"], "stacks.a"),
        ("[stacks.a]", ["fleet-invalid"], "stacks.a"),
        ('[stacks.a]\ncontract = "s3://bucket"', ["fleet-invalid"], "stacks.a.contract"),
        ('[stacks.a]\ndirectory = "."\nrole = "admin"', ["fleet-invalid"], "stacks.a.role"),
        ('[stacks.a]\ndirectory = "."\n[notify]\nslack = "no address"', ["notify-invalid"], "notify.slack"),
        ("[limits]\nworker = 0\nfleet = 0", ["fleet-invalid", "fleet-invalid"], "limits"),
    ],
)
def test_every_defect_is_named_with_its_place_and_never_a_secret(
    tmp_path: Path, text: str, codes: list[str], place: str
) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    with pytest.raises(Invalid) as refused:
        read(tmp_path / "fleet.toml", {})
    assert [one.code for one in refused.value.problems] == codes
    assert place in refused.value.problems[0].context
    assert all(one.fix for one in refused.value.problems)
    assert "secret@" not in str(refused.value)


def test_a_file_that_is_named_and_missing_is_no_reason_to_take_what_lies_around(tmp_path: Path) -> None:
    stack(tmp_path, "a")
    with pytest.raises(Invalid) as refused:
        read(tmp_path / "prod-fleet.toml", {})
    assert [one.code for one in refused.value.problems] == ["fleet-unreadable"]


def test_two_stacks_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a-b", "a/b"):
        stack(tmp_path, name)
    with pytest.raises(Invalid) as refused:
        read(tmp_path / "fleet.toml", {})
    assert [one.code for one in refused.value.problems] == ["fleet-invalid"]
