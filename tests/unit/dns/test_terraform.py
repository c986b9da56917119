"""Which records a Terraform state manages."""

from __future__ import annotations

from typing import Any

from orchestrator.app import records_of_terraform


def record(**values: str) -> dict[str, Any]:
    return {"type": "aws_route53_record", "name": "x", "values": values}


def test_records_of_every_module_are_found_by_their_full_names() -> None:
    bucket = {"type": "aws_s3_bucket", "name": "x", "values": {"name": "not-a-record.example.com"}}
    below = {"resources": [record(name="b", fqdn="B.example.com.")], "child_modules": []}
    state = {
        "values": {
            "root_module": {
                "resources": [record(name="a.example.com"), bucket],
                "child_modules": [{"child_modules": [below]}],
            }
        }
    }
    assert records_of_terraform(state) == {"a.example.com", "b.example.com"}


def test_an_empty_state_manages_nothing() -> None:
    assert records_of_terraform({"format_version": "1.0"}) == frozenset()
