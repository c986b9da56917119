"""docs/reference says what the code says; links lead somewhere; every problem has a name and a way out."""

from __future__ import annotations

import importlib
import json
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
WITHOUT_FIX = {
    "interrupted": "the message says it: run the same command again",
    "not-approved": "the operator said no",
    "fault-failed": "the message names what refused; only who injects a fault sees it",
    "local-cloud-refused": "the message is the local cloud's own sentence",
    "local-cloud-start": "the message is the end of the local cloud's log",
    "local-cloud-down": "in the local cloud's log only, as it goes down",
    "postgres-initdb": "the message is initdb's",
    "postgres-start": "the message is PostgreSQL's log",
    "dns-provider-unavailable": "it is asked again by itself until the deadline",
    "dns-records-changed": "it is looked at again by itself",
    "dns-provider-failed": "the message is Route 53's",
    "contract-not-an-object": "the message says what it must be",
    "option-taken": "the message names the option",
    "plan-changed": "the message says what happened to the file",
    "terraform-missing": "in the tool folder, which the next set-up fills again",
    "terraform-unreadable": "the message names the command that can be tried by hand",
    "undeclared-variable": "the message names the variable",
    "variable-malformed": "the message says what is wrong with the value",
}
"""Codes that some place reports without a fix, and why that is enough."""


@cache
def script(name: str) -> ModuleType:
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SCRIPTS))


@cache
def pages() -> dict[str, str]:
    return dict(script("generate_reference").pages())


@cache
def problems() -> list[Any]:
    return list(script("problem_codes").problems())


def test_each_page_is_what_the_code_says() -> None:
    written = {name: (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") for name in pages()}
    assert [name for name, text in pages().items() if written[name] != text] == [], "run: make reference"


def test_each_manual_page_is_what_the_command_says_and_no_other_is_left() -> None:
    manual = script("man_pages").pages()
    written = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "man").iterdir()}
    assert sorted(written) == sorted(manual)
    assert [name for name, text in manual.items() if written[name] != text] == [], "run: make reference"


def test_a_manual_page_tells_options_settings_and_examples() -> None:
    manual = script("man_pages").pages()
    run, whole = (manual[name].replace(r"\-", "-") for name in ("orchestrate-run.1", "orchestrate.1"))
    for part in (
        ".SH WHICH STEPS AND TENANTS",
        r"\fB--canary NAME\fP",
        ".SH EXAMPLES",
        "orchestrate run --tenant acme",
    ):
        assert part in run
    assert "--step-timeouts" not in run
    for part in (".SH SETTINGS", r"\fB--step-timeouts STEP=DURATION,…\fP", r"\fBorchestrate-restore(1)\fP"):
        assert part in whole
    assert [name for name, text in manual.items() for line in text.splitlines() if line.startswith("'")] == []


def example() -> dict[str, Any]:
    arn = "arn:aws:service:us-west-2:123456789012:thing/x"
    tenant = {"database": "a", "role": "a", "secret_arn": arn, "service": "a", "hostname": "a.example.com"}
    host = "db.example.com"
    return {
        "schema": 1,
        "stack": "s",
        "account_id": "123456789012",
        "region": "us-west-2",
        "cluster": "c",
        "database": {"instance": "db", "host": host, "admin_user": "root", "admin_secret_arn": arn},
        "runner": {"instance_id": "i-0a"},
        "load_balancer": {"arn": arn, "dns_name": "lb.example.com", "zone_id": "Z"},
        "tenants": {"a": {**tenant, "target_group_arn": arn, "log_group": "/a"}},
    }


def test_the_schema_accepts_a_contract_and_no_other_version() -> None:
    schema = json.loads(pages()["contract.schema.json"])
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.check_schema(schema)
    assert list(validator.iter_errors(example())) == []
    without = {key: value for key, value in example().items() if key != "schema"}
    for wrong in (without, {**example(), "schema": 2}, {**example(), "more": 1}, {**example(), "account_id": "1"}):
        assert list(validator.iter_errors(wrong))


def links(document: Path) -> list[tuple[str, str]]:
    text = re.sub(r"```.*?```|`[^`]*`", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    return LINK.findall(text)


def headings(document: Path) -> set[str]:
    lines = document.read_text(encoding="utf-8").splitlines()
    titles = (line.lstrip("#").strip().lower() for line in lines if line.startswith("#"))
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for file, heading in links(document):
        target = document.parent / file if file else document
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(f"{file}#{heading}" if heading else file)
    assert broken == []


def test_every_document_can_be_found_from_the_readme() -> None:
    found, to_read = set(), [ROOT / "README.md"]
    while to_read:
        document = to_read.pop()
        if document not in found and document.suffix == ".md":
            found.add(document)
            to_read += [(document.parent / file).resolve() for file, _ in links(document) if file]
    assert set(DOCUMENTS) - found == set()


@pytest.mark.parametrize(
    "test", sorted({row["test"] for part in script("proven_reference").parts() for row in part["row"] if "test" in row})
)
def test_what_is_said_to_be_proven_by_a_test_has_one(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_problems_of_every_kind_are_found() -> None:
    codes = {one.code for one in problems()}
    assert {"wrong-account", "database-missing", "out-of-memory", "admin-password-wrong", "state-locked"} <= codes
    assert {"change-not-visible", "contract-key-unknown", "service-not-running", "database-server-{status}"} <= codes


def test_codes_are_kebab_case() -> None:
    kebab = re.compile(r"[a-z0-9]+(-([a-z0-9]+|\{[^{}]+\}))*")
    assert [one.code for one in problems() if not kebab.fullmatch(one.code)] == []


def test_every_problem_has_a_fix_or_a_reason_for_having_none() -> None:
    without = {one.code for one in problems() if one.kind == "Problem" and not one.fixed}
    assert without - set(WITHOUT_FIX) == set()
