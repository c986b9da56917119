"""Zero silent guesses: of every stack at hand, each value of the contract is what its provenance says there.

`ADDRESS: WORD`: exactly that attribute, or variable of a container, says it; an address alone is not enough. What a
value is made of (an ARN's account, a matcher's statuses) is allowed for by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.blueprint.containers import containers_in
from orchestrator.stack.inference import Found
from orchestrator.stack.inference.mapping import Key
from tests import corpus
from tests import states as small
from tests.unit.stack.inference.test_corpus import understood as of_corpus
from tests.unit.stack.inference.test_states import understood

STACKS = [*((small, name) for name in small.STATES), *((corpus, name) for name in corpus.STACKS if name != "ours")]
MASK = "***"


def leaves(value: Any) -> Iterator[Any]:
    """Every value in it, JSON in texts opened."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value
        if isinstance(value, str) and value[:1] in "[{":
            try:
                yield from leaves(json.loads(value))
            except ValueError:
                return


def variable(resource: states.Resource, name: str) -> Iterator[str]:
    """What the containers say under this name: a value, or where it is."""
    for container in containers_in(resource.text("container_definitions")) or ():
        for pair in (*(container.get("environment") or ()), *(container.get("secrets") or ())):
            if pair["name"] == name:
                yield pair.get("value") or pair.get("valueFrom") or ""


def behind(place: str, state: states.Resources) -> Iterator[Any]:
    """What a container is told by a secret: what the state knows of its contents."""
    for one in state.of("aws_secretsmanager_secret_version", data=True):
        if one.text("secret_id") and place.startswith(one.text("secret_id")):
            yield from leaves(one.text("secret_string"))
    for one in state.of("aws_db_instance", "aws_rds_cluster", data=True):
        for managed in one.blocks("master_user_secret"):
            if place.startswith(str(managed.get("secret_arn"))):
                yield one.text("username") or one.text("master_username")


def named(value: Any, name: str) -> Iterator[Any]:
    """Every value that stands under this name, at any depth."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one) if key == name else named(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from named(one, name)


def said_at(source: str, state: states.Resources) -> list[Any]:
    """What the places say. Fails where there is no such place, or where it doesn't say which attribute is meant."""
    found: list[Any] = []
    for place in source.split(", "):
        address, _, word = place.partition(": ")
        resource = state.by_address.get(address)
        assert resource is not None, f"{place} is no place of the state"
        assert word, f"{place} doesn't say which attribute"
        containers = containers_in(resource.text("container_definitions"))
        mine = [*variable(resource, word), *named(dict(resource.values), word), *named(containers, word)]
        found += [*mine, *(one for told in mine for one in behind(str(told), state))]
    return found


def is_said(key: Key, value: Any, said: list[Any]) -> bool:
    """Whether the value is there, as it is or as what it is made of."""
    texts = [str(one).lower() for one in said if one is not None]
    wanted = str(value).lower()
    if isinstance(value, bool | int):
        return (
            value in said or wanted in texts or any(f":{wanted}/" in one or one.endswith(f":{wanted}") for one in texts)
        )
    if isinstance(value, list) and key[-1] == "health_statuses":
        return any(str(value[0]) in one for one in texts)
    if isinstance(value, list):
        return all(is_said(key, one, said) for one in value)
    if key[-1] in ("region", "account_id"):
        return any(f":{wanted}:" in one for one in texts)
    if key[-2:] == ("dns", "provider"):
        return wanted == "route53" and any(texts)
    if key == ("stack",):
        return any(one.rsplit("/", 1)[-1].removesuffix("-cluster") == wanted for one in texts)
    if key[-1] == "cluster" and key[0] != "database":
        return any(one.rsplit("/", 1)[-1] == wanted or f"/{wanted}/" in one for one in texts)
    if key[-1].endswith(("secret_arn", "secret_key")):
        return any(one in wanted or wanted in one for one in texts if one)
    return is_named(key, wanted, texts)


def is_named(key: Key, wanted: str, texts: list[str]) -> bool:
    """Names of hosts may be put together: of a label and its zone, of a service of Cloud Map and its namespace."""
    if key[-1] in ("hostname", "host", "zone"):
        return any(wanted in one or wanted in (f"{one}.{zone}" for zone in texts) for one in texts)
    if key[-1] == "aliases" and any(wanted.startswith(f"{one}.") for one in texts if one):
        return True
    return wanted in texts


@pytest.mark.parametrize(("kind", "name"), STACKS, ids=[name for _, name in STACKS])
def test_every_value_is_said_where_its_provenance_says(kind: Any, name: str) -> None:
    document = kind.document(name, "state")
    state = states.read(document)
    answers = kind.document(name, "expected").get("answers", {})
    seen = of_corpus(name, answers) if kind is corpus else understood(document, {})
    for key, one in seen.found.items():
        if not excused(key, one):
            assert is_said(key, one.value, said_at(one.source, state)), (key, one)


def excused(key: Key, one: Found) -> bool:
    """This version's own schema, a person's answer, a password, and what says that there is nothing."""
    nothing = one.value is None or one.value == ""
    return key == ("schema",) or one.source == "orchestrate.toml" or one.value == MASK or nothing


def test_a_value_that_is_not_said_there_would_be_noticed() -> None:
    document = small.document("postgres-on-ec2", "state")
    state = states.read(document)
    found = understood(document, {}).found
    host, port = found["database", "host"], found["database", "port"]
    assert is_said(("database", "host"), host.value, said_at(host.source, state))
    assert not is_said(("database", "host"), "10.0.4.21", said_at(host.source, state))
    assert not is_said(("database", "port"), 5433, said_at(port.source, state))
    assert not is_said(("tenants", "wiki", "role"), "postgres", said_at("aws_ecs_task_definition.wiki: DB_USER", state))
    for nowhere in ("aws_db_instance.nobody: port", "aws_ecs_task_definition.wiki"):
        with pytest.raises(AssertionError):
            said_at(nowhere, state)
