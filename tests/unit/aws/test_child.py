"""Whose calls a child process makes: the profile that was chosen, or our very keys where a person would be asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.aws.child import environment_of, wants_a_person, with_keys

OTHER = {"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other", "AWS_SESSION_TOKEN": "other", "PATH": "/bin"}
CONFIG = """[default]
region = us-west-2
[profile code]
role_arn = arn:aws:iam::123456789012:role/x
mfa_serial = arn:aws:iam::123456789012:mfa/me
source_profile = keys
[profile above]
role_arn = arn:aws:iam::123456789012:role/y
source_profile = code
[profile browser]
login_session = arn:aws:iam::123456789012:user/me
[profile keys]
aws_access_key_id = a
[profile circle]
source_profile = circle
"""


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    (folder / "config").write_text(CONFIG, encoding="utf-8")
    return {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"), **more}


def test_a_chosen_profile_is_the_only_identity_in_it() -> None:
    made = environment_of({**OTHER, "AWS_DEFAULT_PROFILE": "else", "AWS_REGION": "us-west-2"}, "prod")
    assert made == {"PATH": "/bin", "AWS_REGION": "us-west-2", "AWS_PROFILE": "prod"}


def test_without_one_it_is_as_it_was() -> None:
    assert environment_of(OTHER, None) == OTHER


@pytest.mark.parametrize(
    ("variables", "asks"),
    [
        ({"AWS_PROFILE": "code"}, True),
        ({"AWS_DEFAULT_PROFILE": "code", "AWS_PROFILE": "keys"}, True),
        ({"AWS_PROFILE": "above"}, True),
        ({"AWS_PROFILE": "browser"}, True),
        ({"AWS_PROFILE": "keys"}, False),
        ({"AWS_PROFILE": "circle"}, False),
        ({"AWS_PROFILE": "nobody"}, False),
        ({}, False),
        ({"AWS_PROFILE": "code", "AWS_ACCESS_KEY_ID": "a"}, False),
    ],
)
def test_who_would_be_asked(tmp_path: Path, variables: Mapping[str, str], asks: bool) -> None:
    assert wants_a_person(surroundings(tmp_path, **variables)) is asks


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[a]\n[a]\n", b"nonsense"])
def test_a_file_that_cant_be_read_asks_nobody(tmp_path: Path, content: bytes) -> None:
    environment = surroundings(tmp_path, AWS_PROFILE="code")
    (tmp_path / "config").write_bytes(content)
    assert not wants_a_person(environment)


def test_our_keys_are_the_only_identity_in_it() -> None:
    made = with_keys({**OTHER, "AWS_PROFILE": "code"}, ("AKIA", "secret", None), "eu-west-1")
    assert made == {
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
    }
    assert with_keys({"AWS_REGION": "us-west-2"}, ("a", "b", "c"), "eu-west-1")["AWS_REGION"] == "us-west-2"
