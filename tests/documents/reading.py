"""The documents that scripts/terraform_documents.py made, and small changes of them for cases that need one.

A case's `edit` maps an address to what is different: for a state its `values`, for a plan `actions`, `before`, `after`,
`unknown`. null takes a value away, `=ADDRESS:NAME` is that
attribute of the demo's state. A resource that the plan leaves alone is taken from its prior state.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PLANS = sorted(path.name.removesuffix(".plan.json") for path in HERE.glob("*.plan.json"))


@cache
def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return document


def plan(name: str, edit: Mapping[str, Any] | None = None, prior: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`terraform show -json` of a plan; `prior` edits the state it was made on."""
    document = dict(_read(f"{name}.plan.json"))
    if isinstance(document["prior_state"], str):
        document["prior_state"] = _read(document["prior_state"])
    if prior:
        document["prior_state"] = _edited_state(document["prior_state"], prior)
    if isinstance(document["configuration"], str):
        document["configuration"] = {"root_module": _read(document["configuration"])}
    return _edited_plan(deepcopy(document), edit) if edit else document


def state(name: str, edit: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`terraform show -json` of a state."""
    document = _read(f"{name}.state.json")
    return _edited_state(document, edit) if edit else document


def _edited_state(given: Mapping[str, Any], edit: Mapping[str, Any]) -> dict[str, Any]:
    document = deepcopy(dict(given))
    for address, values in edit.items():
        if values is None:
            _remove(document, address)
        else:
            held = _held(document, address)
            held["values"] = _with(held["values"], values)
    return document


def _edited_plan(document: dict[str, Any], edit: Mapping[str, Any]) -> dict[str, Any]:
    for address, wanted in edit.items():
        change = _change(document, address)
        if wanted is None:
            document["resource_changes"].remove(change)
            continue
        said = change["change"]
        if said["actions"] == ["no-op"]:
            said["before"] = deepcopy(said["after"])
        said["actions"] = wanted.get("actions", said["actions"])
        said["before"] = _with(said.get("before") or {}, wanted.get("before", {}))
        said["after"] = _with(said.get("after") or {}, wanted.get("after", {}))
        said["after_unknown"] = _with(said.get("after_unknown") or {}, wanted.get("unknown", {}))
        change |= {key: wanted[key] for key in ("action_reason", "deposed", "type") if key in wanted}
    if "delete" in {action for it in edit.values() if it for action in it.get("actions", ())}:
        for change in document["resource_changes"]:
            if change["change"]["actions"] == ["delete"]:
                change["change"]["after"] = None
    return document


def _change(document: dict[str, Any], address: str) -> dict[str, Any]:
    for change in document["resource_changes"]:
        if change["address"] == address:
            found: dict[str, Any] = change
            return found
    held = next((one for one in _all(document["prior_state"]) if one["address"] == address), None)
    values = held["values"] if held else {}
    module, kind, name = _parts(address)
    made = {
        "address": address,
        "module_address": module,
        "mode": "managed",
        "type": kind,
        "name": name,
        "change": {"actions": ["no-op"], "before": values, "after": deepcopy(values), "after_unknown": {}},
    }
    document["resource_changes"].append(made)
    return made


def _parts(address: str) -> tuple[str, str, str]:
    """Module, type and name of a resource's address."""
    met = re.fullmatch(r"(?:(module\..+)\.)?([a-z0-9_]+)\.([^.\[]+)(?:\[.*\])?", address)
    assert met, address
    return met[1] or "", met[2], met[3]


def _with(values: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`containers` maps a container's name (`*`: each) to what is different in its definition."""
    changed = {**values, **{key: _meant(value) for key, value in changes.items() if key != "containers"}}
    if "containers" in changes:
        held = json.loads(values["container_definitions"])
        changed["container_definitions"] = json.dumps([_container(one, changes["containers"]) for one in held])
    return {key: value for key, value in changed.items() if value is not None}


def _meant(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("="):
        address, _, name = value.removeprefix("=").rpartition(":")
        return next(one["values"][name] for one in _all(_read("demo.state.json")) if one["address"] == address)
    if isinstance(value, list):
        return [_meant(one) for one in value]
    return {key: _meant(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _container(held: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("*", held["name"]):
        for key, value in changes.get(name, {}).items():
            if key in ("environment", "secrets"):
                field = "value" if key == "environment" else "valueFrom"
                pairs = {pair["name"]: pair[field] for pair in held.get(key, ())} | value
                held[key] = [{"name": it, field: said} for it, said in pairs.items() if said is not None]
            else:
                held[key] = value
    return held


def _all(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for module in document.get("values", {}).get("root_module", {}).get("child_modules", ()):
        yield from module["resources"]


def _held(document: dict[str, Any], address: str) -> dict[str, Any]:
    for one in _all(document):
        if one["address"] == address:
            return one
    module, kind, name = _parts(address)
    made = {"address": address, "mode": "managed", "type": kind, "name": name, "values": {}}
    document["values"]["root_module"]["child_modules"].append({"address": module, "resources": [made]})
    return made


def _remove(document: dict[str, Any], address: str) -> None:
    for module in document["values"]["root_module"]["child_modules"]:
        module["resources"] = [one for one in module["resources"] if one["address"] != address]
