"""One of several resources: the only one, the one orchestrate.toml names, or a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.errors import Problem
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.inference.mapping import Key, dotted
from orchestrator.stack.inference.model import ContractDraft, at
from orchestrator.stack.mapping_place import CONTRACT, FILE

IDENTITIES: Mapping[Key, Mapping[Key, str]] = {
    ("cluster",): {(): "name"},
    ("database",): {("instance",): "identifier", ("cluster",): "identifier", ("host",): "address"},
    ("runner",): {("instance_id",): "id"},
    ("load_balancer",): {("arn",): "arn", ("dns_name",): "dns_name"},
}
"""By part: keys of the contract that say which resource it is, and the resource's attribute."""


def named(key: Key, options: Sequence[Resource], draft: ContractDraft) -> Resource | None:
    """The option that the mapping names: by its address, or by a value that only it has."""
    mapped = draft.mapped
    for one in options:
        if one.address == mapped.chosen.get(key):
            return one
    for below, attribute in IDENTITIES.get(key[-1:], {}).items():
        said = mapped.values.get((*key, *below))
        same = [one for one in options if said is not None and one.values.get(attribute) == said]
        if len(same) == 1:
            return same[0]
    if key in mapped.chosen:
        draft.problems.append(_unfit(key, mapped.chosen[key], options))
    return None


def _unfit(key: Key, address: str, options: Sequence[Resource]) -> Problem:
    fix = f"it can be {', '.join(one.address for one in options) or 'nothing that is in the state'}"
    message = f"{address} can't be the stack's {key[0].replace('_', ' ')}"
    return Problem("mapping-resource-unfit", message, f"{FILE}: {CONTRACT}.{dotted(key)}", fix)


def _by_name(key: Key, one: Resource) -> Any:
    """What tells it from others where it has no resource: its name, or the host of a server."""
    return one.text("name") if key == ("cluster",) else {"host": one.text("address")}


def pick(key: Key, options: Sequence[Resource], draft: ContractDraft, asks: str, shows: str) -> Resource | None:
    """The resource; None: it stays open. `shows` is the attribute that people know a resource by."""
    only = len(options) == 1 and key not in draft.mapped.chosen and named(key, options, draft) is None
    return options[0] if only else choose(key, options, draft, asks, shows)


def choose(key: Key, options: Sequence[Resource], draft: ContractDraft, asks: str, shows: str) -> Resource | None:
    """Like `pick`, where something in the stack names another: the only one there is isn't it unless that is said."""
    chosen = named(key, options, draft)
    if chosen is None:
        draft.ask(key, asks, [at(one.address, one.text(shows), _by_name(key, one)) for one in options])
    return chosen
