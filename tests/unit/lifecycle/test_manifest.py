"""A manifest says what it said, or why it can't be trusted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestrator.errors import Invalid
from orchestrator.lifecycle.manifest import Manifest, begun, parse
from orchestrator.stack.contract import parse as contract
from orchestrator.stack.contract import passwords_of
from tests.unit.stack.test_contract import good

PART: dict[str, Any] = {
    "schema": 1,
    "id": "20260101-120000",
    "state": "complete",
    "purpose": "destroy",
    "quiet": True,
    "stack": "onyx-prod",
    "account_id": "123456789012",
    "region": "us-west-2",
    "bucket": "onyx-prod-backups-123456789012",
    "begun": "2026-01-01T12:00:00+00:00",
    "version": "0.1.0",
    "desired": {"customer-a": 3},
    "contract": {"stack": "onyx-prod"},
    "files": {
        "source": "b",
        "prefix": "20260101-120000/objects/",
        "count": 2,
        "bytes": 10,
        "listing": "x",
        "samples": {"ü/a b": "y"},
        "taken": "2026-01-01T12:01:00+00:00",
    },
}


def text(**changes: Any) -> str:
    return Manifest.model_validate({**PART, **changes}).sealed().text()


def codes(document: str) -> set[str]:
    with pytest.raises(Invalid) as caught:
        parse(document, "manifest.json")
    assert all(one.fix for one in caught.value.problems)
    return {one.code for one in caught.value.problems}


def test_it_is_read_back_as_it_was_written() -> None:
    again = parse(text(), "manifest.json")
    assert (again.text(), again.place) == (text(), "s3://onyx-prod-backups-123456789012/20260101-120000/manifest.json")


@given(st.integers(min_value=0, max_value=len(text()) - 2))
def test_cut_off_anywhere_it_is_refused(length: int) -> None:
    assert codes(text()[:length]) <= {"manifest-unreadable", "manifest-schema-unknown"}


@given(st.integers(min_value=0, max_value=len(text()) - 1), st.characters(categories=("L", "N")))
def test_one_changed_character_is_noticed(position: int, character: str) -> None:
    whole = text()
    changed = whole[:position] + character + whole[position + 1 :]
    if changed == whole:
        return
    try:
        seen = parse(changed, "manifest.json")
    except Invalid:
        return
    assert seen.model_dump() == parse(whole, "manifest.json").model_dump(), "white space only"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", "manifest-unreadable"),
        ("[]", "manifest-schema-unknown"),
        ('{"schema": 2}', "manifest-schema-unknown"),
        (json.dumps({**PART, "stack": 5}), "manifest-invalid"),
        (json.dumps({**PART, "more": 1}), "manifest-invalid"),
        (json.dumps({**PART, "checksum": "0" * 64}), "manifest-edited"),
        (text().replace('"customer-a": 3', '"customer-a": 1'), "manifest-edited"),
    ],
)
def test_what_is_wrong_is_named(document: str, code: str) -> None:
    assert codes(document) == {code}


def test_one_in_progress_needs_no_checksum() -> None:
    assert not parse(json.dumps({**PART, "state": "in-progress"}), "x").complete


def test_it_never_holds_a_password_and_a_stack_without_a_runner_comes_back() -> None:
    """Passwords that only Terraform's state knows are in the contract's memory alone."""
    said = contract({**good(), "runner": None}, "test")
    tenants = {
        name: one.model_copy(update={"password": SecretStr("canary-9KT2")}) for name, one in said.tenants.items()
    }
    database = said.database.model_copy(update={"admin_password": SecretStr("canary-4WQ7")})
    known = said.model_copy(update={"tenants": tenants, "database": database})
    assert set(passwords_of(known)) == {"canary-9KT2", "canary-4WQ7"}
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    manifest = begun(known, {"customer-a": 3}, purpose="keep", quiet=True, bucket="b", now=now)
    kept = parse(manifest.text(), "x")
    assert "canary" not in f"{manifest.text()} {manifest!r}"
    assert (kept.id, kept.stack_of()) == ("20260101-120000", said)


def test_one_from_before_there_was_opensearch_keeps_its_checksum() -> None:
    """Nothing is said of what it doesn't have: its text is what it was."""
    assert "opensearch" not in json.loads(text())
    kept = {"volume": "v", "snapshot": "s", "size": 1, "encrypted": True, "taken": "t", "digest": "d"}
    both = json.loads(text(index={"a": {**kept, "documents": 3}}, opensearch={"a": {**kept, "documents": 5}}))
    found = parse(json.dumps(both), "manifest.json")
    assert sorted(found.indexes) == ["opensearch:a", "vespa:a"]
    assert found.holdings == {"files": 2, "documents of a": 5}
