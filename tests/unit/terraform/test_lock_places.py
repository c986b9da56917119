"""Where the lock lives, told from Terraform's own files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.terraform.lock_places import (
    WebIdentity,
    local_state,
    lock_of,
    role_of,
    s3_key,
    web_identity_of,
    written_as,
)

S3 = {"bucket": "onyx-state", "key": "prod/terraform.tfstate", "region": "us-west-2"}


def directory(folder: Path, *, backend: Mapping[str, Any] | None = None, main: str = "", workspace: str = "") -> Path:
    (folder / "main.tf").write_text(main or 'output "orchestrator" { value = {} }\n')
    data = folder / ".terraform"
    data.mkdir()
    if backend:
        (data / "terraform.tfstate").write_text(json.dumps({"version": 3, "backend": backend}))
    if workspace:
        (data / "environment").write_text(workspace)
    return folder


def place(folder: Path, environment: Mapping[str, str] | None = None, lock_dir: Path | None = None) -> str:
    return lock_of(folder, environment or {}, lock_dir).place


def test_a_folder_without_terraform(tmp_path: Path) -> None:
    assert place(tmp_path) == str(tmp_path / ".orchestrate" / "orchestrate.lock")


def test_a_folder_without_terraform_shares_the_lock_of_the_state_that_its_contract_is_in(tmp_path: Path) -> None:
    state = "s3://onyx-state/prod/terraform.tfstate"
    assert lock_of(tmp_path, {}, None, contract=state).place == f"{state}.orchestrate-lock"
    made = directory(tmp_path, backend={"type": "s3", "config": S3})
    assert lock_of(made, {}, None).place == f"{state}.orchestrate-lock"
    assert lock_of(made, {}, None, contract="s3://elsewhere/contract.json").place == f"{state}.orchestrate-lock"


def test_local_state(tmp_path: Path) -> None:
    assert place(directory(tmp_path)) == str(tmp_path / "terraform.tfstate.orchestrate.lock")


def test_local_state_before_init_is_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("")
    assert place(tmp_path) == str(tmp_path / "terraform.tfstate.orchestrate.lock")


def test_a_path_of_its_own(tmp_path: Path) -> None:
    made = directory(
        tmp_path, backend={"type": "local", "config": {"path": "/srv/onyx.tfstate", "workspace_dir": None}}
    )
    assert place(made) == "/srv/onyx.tfstate.orchestrate.lock"


def test_each_workspace_has_its_own(tmp_path: Path) -> None:
    made = directory(tmp_path, workspace="blue\n")
    state = tmp_path / "terraform.tfstate.d"
    assert place(made) == str(state / "blue" / "terraform.tfstate.orchestrate.lock")
    assert place(made, {"TF_WORKSPACE": "red"}) == str(state / "red" / "terraform.tfstate.orchestrate.lock")


def test_terraforms_data_elsewhere(tmp_path: Path) -> None:
    made = directory(tmp_path, backend={"type": "s3", "config": S3})
    (made / ".terraform").rename(tmp_path / "data")
    assert place(made, {"TF_DATA_DIR": "data"}) == "s3://onyx-state/prod/terraform.tfstate.orchestrate-lock"


def test_s3(tmp_path: Path) -> None:
    made = directory(tmp_path, backend={"type": "s3", "config": S3})
    assert place(made) == "s3://onyx-state/prod/terraform.tfstate.orchestrate-lock"


@pytest.mark.parametrize(
    ("config", "workspace", "expected"),
    [
        ({"key": "a/b"}, "default", "a/b"),
        ({"key": "/a/b"}, "default", "a/b"),
        ({"key": "a/b"}, "blue", "env:/blue/a/b"),
        ({"key": "a/b", "workspace_key_prefix": "spaces/"}, "blue", "spaces/blue/a/b"),
    ],
)
def test_keys_are_terraforms(config: dict[str, Any], workspace: str, expected: str) -> None:
    assert s3_key(config, workspace) == expected


@pytest.mark.parametrize(
    ("config", "workspace", "expected"),
    [
        ({}, "default", "terraform.tfstate"),
        ({"path": "states/onyx"}, "default", "states/onyx"),
        ({"path": "states/onyx"}, "blue", "terraform.tfstate.d/blue/onyx"),
        ({"workspace_dir": "spaces"}, "blue", "spaces/blue/terraform.tfstate"),
    ],
)
def test_files_are_terraforms(config: dict[str, Any], workspace: str, expected: str) -> None:
    assert str(local_state(config, workspace)) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"backend": {"type": "cloud", "config": {}}}, "'cloud' backend can't hold orchestrate's lock"),
        (
            {"backend": {"type": "s3", "config": {**S3, "assume_role_with_web_identity": {"role_arn": "arn"}}}},
            "the token is missing",
        ),
        ({"main": 'terraform {\n  backend "s3" {\n  }\n}\n'}, "not initialized for its backend 's3'"),
        ({"main": "terraform {\n  cloud {\n  }\n}\n"}, "not initialized for its backend 'cloud'"),
    ],
)
def test_no_place_is_said_and_lock_dir_helps(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    made = directory(tmp_path, **given)
    with pytest.raises(Invalid, match=says) as raised:
        place(made)
    assert raised.value.problems[0].code == "lock-place-unknown"
    assert "--lock-dir" in raised.value.problems[0].fix
    assert "--lock s3://" in raised.value.problems[0].fix
    assert place(made, lock_dir=tmp_path / "locks") == str(tmp_path / "locks" / "orchestrate.lock")


def test_a_local_backend_said_so_needs_no_init(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "local" {\n  }\n}\n')
    assert place(tmp_path) == str(tmp_path / "terraform.tfstate.orchestrate.lock")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"backend": 7}', '{"backend": {"type": "local", "config": 7}}'])
def test_a_broken_note_is_no_traceback(tmp_path: Path, text: str) -> None:
    made = directory(tmp_path)
    (made / ".terraform" / "terraform.tfstate").write_text(text)
    if text.startswith('{"'):
        assert place(made) == str(tmp_path / "terraform.tfstate.orchestrate.lock")
    else:
        with pytest.raises(Invalid, match="lock-place-unknown"):
            place(made)


@pytest.mark.parametrize("kind", ["cloud", "remote", "gcs", "azurerm", "http", "local"])
def test_a_bucket_of_ones_choice_goes_before_all(tmp_path: Path, kind: str) -> None:
    made = directory(tmp_path, backend={"type": kind, "config": {}})
    chosen = lock_of(made, {}, tmp_path / "locks", lock=("our-locks", "onyx/prod"))
    assert chosen.place == "s3://our-locks/onyx/prod"


def test_a_backend_with_a_role_has_its_place(tmp_path: Path) -> None:
    made = directory(tmp_path, backend={"type": "s3", "config": {**S3, "assume_role": {"role_arn": "arn"}}})
    assert place(made) == "s3://onyx-state/prod/terraform.tfstate.orchestrate-lock"


ROLE = "arn:aws:iam::123456789012:role/state"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("", {})),
        ({"role_arn": None, "session_name": None}, ("", {})),
        ({"assume_role": {"role_arn": ROLE}}, (ROLE, {})),
        ({"assume_role": [{"role_arn": ROLE, "external_id": "x"}]}, (ROLE, {"ExternalId": "x"})),
        (
            {"role_arn": ROLE, "session_name": "me", "external_id": "x"},
            (ROLE, {"RoleSessionName": "me", "ExternalId": "x"}),
        ),
        ({"role_arn": ROLE, "assume_role_duration_seconds": 900}, (ROLE, {"DurationSeconds": 900})),
        (
            {"assume_role": {"role_arn": ROLE, "policy_arns": ["p"], "tags": {"a": "b"}, "transitive_tag_keys": ["a"]}},
            (ROLE, {"PolicyArns": [{"arn": "p"}], "Tags": [{"Key": "a", "Value": "b"}], "TransitiveTagKeys": ["a"]}),
        ),
    ],
)
def test_roles_are_terraforms(config: dict[str, Any], expected: tuple[str, dict[str, Any]]) -> None:
    assert role_of(config) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"encrypt": False}, {}),
        ({"encrypt": True}, {"ServerSideEncryption": "AES256"}),
        ({"encrypt": True, "kms_key_id": "k"}, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}),
        ({"encrypt": True, "sse_customer_key": "a2V5"}, {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"key"}),
        ({"acl": "bucket-owner-full-control"}, {"ACL": "bucket-owner-full-control"}),
    ],
)
def test_it_is_written_as_the_state_is(config: dict[str, Any], expected: dict[str, Any]) -> None:
    assert written_as(config) == expected


@pytest.mark.parametrize(
    ("said", "environment", "role", "given"),
    [
        ({"role_arn": ROLE, "web_identity_token_file": "FILE"}, {}, ROLE, {}),
        ({"role_arn": ROLE, "web_identity_token": "the token"}, {}, ROLE, {}),
        (
            {"web_identity_token_file": "FILE", "session_name": "ci", "policy_arns": ["p"]},
            {"AWS_ROLE_ARN": ROLE},
            ROLE,
            {"RoleSessionName": "ci", "PolicyArns": [{"arn": "p"}]},
        ),
        ({"role_arn": ROLE}, {"AWS_WEB_IDENTITY_TOKEN_FILE": "FILE", "AWS_ROLE_ARN": "another"}, ROLE, {}),
    ],
    ids=["file", "in-the-note", "role-of-the-environment", "file-of-the-environment"],
)
def test_web_identities_are_terraforms(
    tmp_path: Path, said: dict[str, Any], environment: dict[str, str], role: str, given: dict[str, Any]
) -> None:
    """The block goes before the environment."""
    file = tmp_path / "token"
    file.write_text("the token\n")

    def placed(values: dict[str, Any]) -> dict[str, Any]:
        return {name: str(file) if value == "FILE" else value for name, value in values.items()}

    found = web_identity_of({"assume_role_with_web_identity": placed(said)}, placed(environment))
    assert found == WebIdentity(role, str, given)
    assert found is not None
    assert found.token() == "the token"


def test_without_the_block_the_run_s_own_credentials_count() -> None:
    """Which the environment may give for a token too: that is botocore's to see."""
    environment = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    assert web_identity_of({**S3, "assume_role_with_web_identity": None}, environment) is None


def test_a_token_that_can_t_be_read_is_named_by_its_file(tmp_path: Path) -> None:
    block = {"role_arn": ROLE, "web_identity_token_file": str(tmp_path / "gone")}
    found = web_identity_of({"assume_role_with_web_identity": [block]}, {})
    assert found is not None
    with pytest.raises(Invalid) as caught:
        found.token()
    assert caught.value.problems[0].code == "web-identity-token-unreadable"
    assert caught.value.problems[0].context.endswith("gone")
