"""A fleet to try: stacks of one tenant each in one local cloud, made by the API, and the folder that describes them.

The folder has a `fleet.toml`, a folder a stack with its contract, and a file of keys that open the local cloud alone.
Left out, as in `world`: what only Terraform shows, so `plan` says that there is no configuration.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import tomlkit

from orchestrator.local import world
from orchestrator.local.core import api, state
from orchestrator.local.core.waiting import eventually
from orchestrator.local.endpoint import client

KEPT = ("AWS_ENDPOINT_URL", "ORCHESTRATE_RESOLVER", "ORCHESTRATE_SITE_PORT", "ORCHESTRATE_CA_FILE")
"""What each stack is told of the cloud; the keys are in a file of their own."""
ORDERS = "orders"
"""Of the database in which several workers find their orders."""
_LABELS = ("staging", "production")
_SECONDS = 300.0


def make(running: state.Running, folder: Path, stacks: int = 3) -> Path:
    """Make the stacks and describe them; gives the file."""
    said = client.ask(running, "env")
    session = api.session(said)
    folder.mkdir(parents=True, exist_ok=True)
    keys = folder / "credentials"
    keys.touch(mode=0o600)
    names = {name.lower(): said[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    keys.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in names.items()))
    environment = {name: said[name] for name in KEPT if name in said}
    environment |= {"AWS_SHARED_CREDENTIALS_FILE": str(keys.absolute()), "AWS_REGION": session.region_name}
    table: dict[str, Any] = {"stacks": {}}
    for number in range(1, stacks + 1):
        name = f"stack-{number}"
        zone = f"{name}.example"
        tenant = f"customer-{number}"
        contract = world.build(session, endpoint=running.endpoint, name=name, tenants=(tenant,), zone=zone)
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "contract.json").write_text(json.dumps(contract, indent=2))
        table["stacks"][name] = {
            "directory": name,
            "contract": f"{name}/contract.json",
            "labels": {"env": _LABELS[number > 1]},
            "environment": environment,
        }
    file = folder / "fleet.toml"
    file.write_text(tomlkit.dumps(table))
    rds = api.client_of(session, running.endpoint, "rds")
    eventually(lambda: all(one["DBInstanceStatus"] == "available" for one in _servers(rds)), _SECONDS)
    return file


def orders_database(running: state.Running, folder: Path) -> Path:
    """Make a PostgreSQL for the orders of several workers; gives a file of the owner's that says where it is."""
    said = client.ask(running, "env")
    rds = api.client_of(api.session(said), running.endpoint, "rds")
    password = secrets.token_urlsafe(18)
    rds.create_db_instance(
        DBInstanceIdentifier=ORDERS,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername=ORDERS,
        MasterUserPassword=password,
        DBName=ORDERS,
    )
    made: Any = eventually(lambda: _available(rds), _SECONDS)
    address = client.ask(running, "status")["addresses"][made["Endpoint"]["Address"]]
    file = folder / "fleet.env"
    file.touch(mode=0o600)
    file.write_text(f"export ORCHESTRATE_FLEET_DATABASE=postgresql://{ORDERS}:{password}@{address}/{ORDERS}\n")
    return file


def _available(rds: Any) -> Any:
    (found,) = rds.describe_db_instances(DBInstanceIdentifier=ORDERS)["DBInstances"]
    return found if found["DBInstanceStatus"] == "available" else None


def _servers(rds: Any) -> list[Any]:
    return list(rds.get_paginator("describe_db_instances").paginate().search("DBInstances[]"))
