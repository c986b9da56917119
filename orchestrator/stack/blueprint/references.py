"""Where a value comes from, by the plan's `configuration`: what is left to go by while the value itself is unknown.

References are followed through a module's outputs and a module call's arguments. What Terraform's JSON doesn't hold
is a local's expression: a local counts as all that is given to its module, and what is reached that way is not `sure`.
A data source counts as a resource of its type and as what it is looked up by, neither of them `sure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.stack.blueprint.blueprint import Blueprint
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource, canonical

_INDEX = re.compile(r"\[[^\]]*\]")
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Source:
    """An attribute of a resource that a value is made from. `sure`: it is, and not only may be.

    A variable of the root module is a source too: `resource` is then `var`, `attribute` its name.
    """

    module: tuple[str, ...]
    resource: str
    attribute: str
    sure: bool = True

    @property
    def type(self) -> str:
        """The resource's type, by the one name for it."""
        return canonical(self.resource.partition(".")[0])


def module_path(module: str) -> tuple[str, ...]:
    """The names of a module's address without indexes: `module.a["x"].module.b` → a, b."""
    plain = _INDEX.sub("", module)
    return tuple(part for part in plain.split(".") if part and part != "module") if plain else ()


def sources(blueprint: Blueprint, resource: Resource, *path: str) -> frozenset[Source]:
    """Everything that the expression at the path (a block's first one) of the resource is made from."""
    at, written = module_path(resource.module), resource.written
    return blueprint.cached(("sources", at, written, path), lambda: _sources(blueprint, at, written, path))


def _sources(blueprint: Blueprint, at: tuple[str, ...], written: str, path: tuple[str, ...]) -> frozenset[Source]:
    held = _resource(_module(blueprint.configuration, at), written)
    if held is None:
        return frozenset()
    walk = _Walk(blueprint.configuration)
    said = _at(held.get("expressions", {}), path)
    found = set(walk.expression(at, said, sure=True, depth=0))
    if any(one.startswith(("each.", "count.")) for one in _references(said)):
        each = [held[key] for key in ("for_each_expression", "count_expression") if key in held]
        found |= {one for it in each for one in walk.expression(at, it, sure=False, depth=0)}
    return frozenset(found)


def hidden(blueprint: Blueprint, resource: Resource, name: str) -> bool:
    """Whether a local of the root module is in an attribute's expression: nothing tells what that is made from."""
    said = _references(_expressions(blueprint, resource).get(name))
    return not resource.module and any(one.startswith("local.") for one in said)


def readers(blueprint: Blueprint, variables: frozenset[str]) -> tuple[Resource, ...]:
    """Resources that something of is surely made from one of these root variables: arguments, or a provisioner's."""
    return tuple(one for one in blueprint.resources.values() if variables & _variables_of(blueprint, one))


def _variables_of(blueprint: Blueprint, resource: Resource) -> frozenset[str]:
    at, written = module_path(resource.module), resource.written

    def find() -> frozenset[str]:
        held = _resource(_module(blueprint.configuration, at), written) or {}
        said = [held.get("expressions", {}), *(one.get("expressions", {}) for one in held.get("provisioners", ()))]
        walk = _Walk(blueprint.configuration)
        found = (source for one in said for source in walk.expression(at, one, sure=True, depth=0))
        return frozenset(one.attribute for one in found if one.resource == "var" and one.sure)

    return blueprint.cached(("variables", at, written), find)


def constant(blueprint: Blueprint, resource: Resource, name: str) -> Any:
    """What the configuration itself says of an attribute, where that is a literal; None otherwise.

    The AWS provider keeps only a hash of `user_data`, so that a plan's values don't tell what is in it.
    """
    said = _expressions(blueprint, resource).get(name)
    return said.get("constant_value") if isinstance(said, Mapping) else None


def says(blueprint: Blueprint, resource: Resource, name: str) -> bool:
    """Whether the configuration gives the attribute at all."""
    return bool(_expressions(blueprint, resource).get(name))


def _expressions(blueprint: Blueprint, resource: Resource) -> Mapping[str, Any]:
    module = _module(blueprint.configuration, module_path(resource.module))
    held = _resource(module, resource.written)
    found: Mapping[str, Any] = (held or {}).get("expressions", {})
    return found


@dataclass(frozen=True, slots=True)
class NamedResources:
    """The resources that a value names: surely, and perhaps."""

    sure: tuple[Resource, ...] = ()
    maybe: tuple[Resource, ...] = ()

    @property
    def any(self) -> tuple[Resource, ...]:
        """The likeliest reading."""
        return self.sure or self.maybe


def targets(blueprint: Blueprint, resource: Resource, kind: str, *path: str | int) -> NamedResources:
    """The resources of this type that the value at the path names: by value where it is known, else by reference."""
    said = resource.get(*path)
    words = said if isinstance(said, list) else [said]
    wanted = [one for one in words if isinstance(one, str) and one]
    if wanted:
        named = blueprint.cached(("named", kind), lambda: _named(blueprint, kind))
        addresses = dict.fromkeys(one.address for word in wanted for one in named.get(word, ()))
        sure = tuple(blueprint.resources[one] for one in addresses)
        rest = _by_reference(blueprint, resource, kind, tuple(map(str, path))).any if UNKNOWN in words else ()
        return NamedResources(sure, tuple(one for one in rest if one not in sure))
    if said is not UNKNOWN and UNKNOWN not in words:
        return NamedResources()
    return _by_reference(blueprint, resource, kind, tuple(map(str, path)))


def _by_reference(blueprint: Blueprint, resource: Resource, kind: str, path: tuple[str, ...]) -> NamedResources:
    written = blueprint.cached(("written", kind), lambda: _written(blueprint, kind))
    near: dict[bool, list[str]] = {True: [], False: []}
    far: dict[bool, list[str]] = {True: [], False: []}
    for one in sorted(sources(blueprint, resource, *path), key=lambda it: (it.module, it.resource, not it.sure)):
        held = written.get((one.module, one.resource))
        if held is not None:
            far[one.sure] += held.all
            near[one.sure] += held.near(resource.module)
    met = near if near[True] or near[False] else far
    sure = dict.fromkeys(met[True])
    maybe = (one for one in dict.fromkeys(met[False]) if one not in sure)
    return NamedResources(
        tuple(map(blueprint.resources.__getitem__, sure)), tuple(map(blueprint.resources.__getitem__, maybe))
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """The instances of one resource of the configuration, by their modules and by their modules' keys."""

    all: list[str]
    by_module: dict[str, list[str]]
    by_keys: dict[tuple[str, ...], list[str]]

    def near(self, module: str) -> list[str]:
        """Those of the same module instance, of one around it, or of instances with the same keys."""
        keys = tuple(_INDEX.findall(module))
        found = [*(self.by_keys.get(keys, ()) if keys else ()), *self.by_module.get(module, ())]
        parts = module.split(".")
        around = (".".join(parts[:end]) for end in range(2, len(parts), 2))
        return found + [one for outer in around for one in self.by_module.get(outer, ())]


def _named(blueprint: Blueprint, kind: str) -> dict[str, list[Resource]]:
    """By id, ARN and name."""
    found: dict[str, list[Resource]] = {}
    for one in blueprint.of_type(kind):
        for word in {one.text(key) for key in ("id", "arn", "name", "bucket")} - {""}:
            found.setdefault(word, []).append(one)
    return found


def _written(blueprint: Blueprint, kind: str) -> dict[tuple[tuple[str, ...], str], _Written]:
    found: dict[tuple[tuple[str, ...], str], _Written] = {}
    for one in blueprint.of_type(kind):
        held = found.setdefault((module_path(one.module), one.written), _Written([], {}, {}))
        held.all.append(one.address)
        held.by_module.setdefault(one.module, []).append(one.address)
        held.by_keys.setdefault(tuple(_INDEX.findall(one.module)), []).append(one.address)
    return found


@dataclass(frozen=True, slots=True)
class Referrers:
    """Who names a resource: surely, and perhaps."""

    sure: tuple[Resource, ...] = ()
    maybe: tuple[Resource, ...] = ()

    @property
    def any(self) -> tuple[Resource, ...]:
        """Both."""
        return self.sure + self.maybe


def referrers(blueprint: Blueprint, target: Resource, kind: str, *path: str | int) -> Referrers:
    """The resources of this type whose value at the path names the target."""
    index = blueprint.cached(("referrers", target.type, kind, path), lambda: _index(blueprint, target.type, kind, path))
    return index.get(target.address, Referrers())


def _index(blueprint: Blueprint, named: str, kind: str, path: tuple[str | int, ...]) -> dict[str, Referrers]:
    found: dict[str, Referrers] = {}
    for one in blueprint.of_type(kind):
        meant = targets(blueprint, one, named, *path)
        for met in meant.sure:
            held = found.get(met.address, Referrers())
            found[met.address] = Referrers((*held.sure, one), held.maybe)
        for met in meant.maybe:
            held = found.get(met.address, Referrers())
            found[met.address] = Referrers(held.sure, (*held.maybe, one))
    return found


class _Walk:
    """Follows references from module to module."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def expression(self, at: tuple[str, ...], said: Any, *, sure: bool, depth: int) -> Iterator[Source]:
        for one in _references(said):
            yield from self._reference(at, one, sure=sure, depth=depth + 1)

    def _reference(self, at: tuple[str, ...], one: str, *, sure: bool, depth: int) -> Iterator[Source]:
        if depth > _DEPTH:
            return
        words = _INDEX.sub("", one).split(".")
        head = words[0]
        if head == "var":
            yield from self._variable(at, words[1], sure=sure, depth=depth)
        elif head == "local":
            for name in _module(self._root, at).get("variables", {}) if at else ():
                yield from self._variable(at, name, sure=False, depth=depth)
        elif head == "module":
            outputs = _call(_module(self._root, at), words[1]).get("module", {}).get("outputs", {})
            names = [words[2]] if len(words) > 2 else list(outputs)
            for name in names:
                said = outputs.get(name, {}).get("expression", {})
                # Of an output's several parts nobody knows which one is meant.
                whole = len(words) == 3 and "[" not in one.partition(words[2])[2]
                only = sure and len(words) > 2 and (whole or len(_references(said)) == 1)
                yield from self.expression((*at, words[1]), said, sure=only, depth=depth)
        elif head == "data":
            yield Source(at, ".".join(words[1:3]), words[3] if len(words) > 3 else "", sure=False)
            held = _resource(_module(self._root, at), ".".join(words[:3])) or {}
            yield from self.expression(at, held.get("expressions", {}), sure=False, depth=depth)
        elif head in ("each", "count", "path", "terraform", "self"):
            return
        elif len(words) > 1:
            # Without an attribute: all of the resource (`aws_subnet.private[*].id` is given like that).
            yield Source(at, ".".join(words[:2]), words[2] if len(words) > 2 else "", sure)

    def _variable(self, at: tuple[str, ...], name: str, *, sure: bool, depth: int) -> Iterator[Source]:
        if not at:
            yield Source((), "var", name, sure)
            return
        parent = at[:-1]
        call = _call(_module(self._root, parent), at[-1])
        said = call.get("expressions", {}).get(name, {})
        # Of an object's several parts nobody knows which one is meant; an instance's key is no part.
        parts = [one for one in _references(said) if not one.startswith(("each.", "count."))]
        yield from self.expression(parent, said, sure=sure and len(parts) == 1, depth=depth)


def _references(said: Any) -> list[str]:
    """Those of an expression, of a block's expressions, or of a list of blocks; each but once, in its longest form."""
    if isinstance(said, list):
        return list(dict.fromkeys(one for it in said for one in _references(it)))
    if not isinstance(said, Mapping):
        return []
    if "references" in said:
        every = [str(one) for one in said["references"]]
        return [one for one in dict.fromkeys(every) if not any(_within(one, longer) for longer in every)]
    return list(dict.fromkeys(one for it in said.values() for one in _references(it)))


def _within(one: str, longer: str) -> bool:
    return longer != one and longer.startswith((f"{one}.", f"{one}["))


def _at(expressions: Any, path: tuple[str, ...]) -> Any:
    said = expressions
    for step in path:
        if step.isdecimal():
            continue
        said = said[0] if isinstance(said, list) and said else said
        said = said.get(step, {}) if isinstance(said, Mapping) else {}
    return said


def _module(root: Mapping[str, Any], at: tuple[str, ...]) -> Mapping[str, Any]:
    module: Mapping[str, Any] = root
    for name in at:
        module = _call(module, name).get("module", {})
    return module


def _call(module: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = module.get("module_calls", {}).get(name, {})
    return found


def _resource(module: Mapping[str, Any], address: str) -> Mapping[str, Any] | None:
    return next((one for one in module.get("resources", ()) if one["address"] == address), None)
