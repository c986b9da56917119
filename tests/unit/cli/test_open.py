"""`orchestrate open`: the address of the contract; where there is no terminal, it is printed alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.command_line import said_by

CONTRACT = Path(__file__).with_name("contract.json")


def test_the_address_is_the_contract_s(tmp_path: Path) -> None:
    tenants = json.loads(CONTRACT.read_text())["tenants"]
    name, tenant = next(iter(tenants.items()))
    ended = said_by(["open", name, "--contract", str(CONTRACT)], folder=tmp_path, environment={})
    assert (ended.status, ended.text) == (0, f"https://{tenant['hostname']}/\n")
    ended = said_by(["open", name, "--contract", str(CONTRACT), "--site-port", "8443"], folder=tmp_path, environment={})
    assert ended.text == f"https://{tenant['hostname']}:8443/\n"


def test_a_tenant_that_is_not_there(tmp_path: Path) -> None:
    ended = said_by(["open", "nobody", "--contract", str(CONTRACT)], folder=tmp_path, environment={})
    assert ended.status == 2
    assert "[tenant-unknown]" in ended.text
