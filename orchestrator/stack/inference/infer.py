"""State and mapping → a contract with provenance, or what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from orchestrator.errors import Invalid, Problem
from orchestrator.redact import MASK
from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.contract import SCHEMA, Stack, parse
from orchestrator.stack.inference import balancer, clusters, database, extras, runner, tenants
from orchestrator.stack.inference.balancer import Balancers
from orchestrator.stack.inference.clusters import Clusters
from orchestrator.stack.inference.mapping import NOT_TENANTS, PASSWORDS, Key, Mapped, dotted
from orchestrator.stack.inference.model import ContractDraft, Found, OpenQuestion, Option
from orchestrator.stack.inference.secrets import SecretStores
from orchestrator.stack.inference.sites import Site, by_one_balancer, sites_of, tenants_among
from orchestrator.stack.partial import defects_in
from orchestrator.stack.services import OWN, duplicates

SOURCE = "inferred"
INIT = "`orchestrate init` asks, or say it in orchestrate.toml"


@dataclass(frozen=True, slots=True)
class Inferred:
    """What came of it. `stack` is None while questions or problems are left; passwords are in it, masked."""

    stack: Stack | None
    found: Mapping[Key, Found]
    questions: tuple[OpenQuestion, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    offers: tuple[OpenQuestion, ...] = ()
    """What may stay open."""
    cures: tuple[OpenQuestion, ...] = ()
    """Which of several services that share what must be a tenant's own is the tenant: each answer ends a problem."""
    passwords: tuple[SecretStr, ...] = ()
    """Every password that was seen in clear, whatever came of it: to be hidden wherever it may turn up."""

    @property
    def known(self) -> dict[str, Any]:
        """The contract as far as it is known, raw: what is open or wrong is left out, and every password."""
        document: dict[str, Any] = {}
        for key, one in self.found.items():
            if key[-1] not in PASSWORDS and one.value is not None:
                _place(document, key, one.value)
        return document

    def require(self) -> Stack:
        """The stack. Raises `Invalid` with everything that is open or wrong."""
        if self.stack is None:
            raise Invalid(*self.problems, *map(as_problem, self.questions))
        return self.stack


def as_problem(question: OpenQuestion) -> Problem:
    """An open question, where nobody can be asked."""
    code = "contract-ambiguous" if question.options else "contract-incomplete"
    fix = question.fix or f"{INIT}: contract.{dotted(question.key)}"
    return Problem(code, str(question), dotted(question.key), fix)


def infer(state: Resources, mapped: Mapped) -> Inferred:
    """Find every part of the contract. The order is that of dependence: cluster, sites, then what they lean on."""
    draft = ContractDraft(mapped)
    everywhere = sites_of(state)
    used = clusters.clusters_of(state, everywhere, draft)
    if used:
        draft.put(("schema",), SCHEMA, "this version")
        clusters.place(used, draft)
        _parts(state, used, everywhere, draft)
    return _finished(draft)


def _parts(state: Resources, used: Clusters, everywhere: Sequence[Site], draft: ContractDraft) -> None:
    sites = clusters.told_apart([it for it in everywhere if it.cluster_name in used])
    if not sites:
        asks = "no service of the cluster is behind a listener of a load balancer"
        fix = (
            "let `terraform apply` finish; a load balancer outside the state can't be read, and a service that only "
            "Cloud Map, an API gateway, a network or a classic load balancer reaches, or one of ECS Express Mode, has "
            "no site to manage"
        )
        clusters.describe(used, sites, draft)
        draft.ask(("tenants",), asks, fix=fix)
        return
    kept = tenants_among(sites, draft)
    if any(one.key == (NOT_TENANTS,) for one in draft.questions):
        clusters.describe(used, sites, draft)
        return  # who the tenants are comes first: all else leans on it
    server = database.server_of(state, kept, draft)
    balancers = balancer.balancers_of(state, kept, draft)
    kept = tuple(it for it in kept if _belongs(it, server, balancers, state, draft))
    chosen = {name: one.text("arn") for name, one in balancers.items()}
    kept = tuple(by_one_balancer(it, chosen[it.name]) if it.name in chosen else it for it in kept)
    clusters.describe(used, kept, draft)
    instance = runner.runner_of(state, server, draft)
    where = next(iter(used.values())).arn_parts
    vault = SecretStores(state, *where, runner.role_of_runner(instance, state))
    if server is not None:
        database.describe(server, kept, vault, draft)
    balancer.describe(balancers, kept, draft, state)
    for site in kept:
        tenants.describe(site, server, vault, draft, everywhere)
    extras.describe(state, kept, vault, draft)


def _belongs(site: Site, server: Resource | None, balancers: Balancers, state: Resources, draft: ContractDraft) -> bool:
    """Whether the site leans on the chosen server, and on the load balancer that orchestrate.toml names, if it does."""
    way = database.way_of(site, state)
    elsewhere = server is not None and way is not None and way.server.address != server.address
    chosen = draft.mapped.says(balancer.KEY) and bool(balancers)
    apart = chosen and bool(site.balancers) and site.name not in balancers
    if elsewhere or apart:
        what = "database server" if elsewhere else "load balancer"
        draft.remark(f"{site.service.address} has another {what}: orchestrate does not manage it")
    return not (elsewhere or apart)


def _finished(draft: ContractDraft) -> Inferred:
    found = {**draft.found}
    for key, value in draft.mapped.values.items():
        if key != (NOT_TENANTS,):
            found[key] = Found(value, draft.mapped.sources[key])
    passwords = {**draft.passwords, **draft.mapped.passwords}
    seen = tuple(password for password, _ in (*draft.passwords.values(), *draft.mapped.passwords.values()))
    problems = [*draft.mapped.problems, *draft.problems, *_unfit(draft, found)]
    if draft.questions or problems:
        problems += [_placed(one, found) for one in _shared(found)]
        return _inferred(draft, None, found, problems, seen)
    found |= {key: Found(MASK, source) for key, (_, source) in passwords.items()}
    try:
        stack = parse(_document(found, passwords), SOURCE)
    except Invalid as error:
        return _inferred(draft, None, found, [_placed(one, found) for one in error.problems], seen)
    return _inferred(draft, with_passwords(stack, passwords), found, [], seen)


def _unfit(draft: ContractDraft, found: dict[Key, Found]) -> Iterator[Problem]:
    """What orchestrate.toml says and can't be. What the state says and can't be is asked: it is no answer."""
    document: dict[str, Any] = {}
    for key, one in found.items():
        if one.value is not None and key[-1] not in PASSWORDS:
            _place(document, key, one.value)
    for place, problem in defects_in(document, SOURCE):
        key = next((place[:length] for length in range(len(place), 0, -1) if place[:length] in found), ())
        if not key or draft.mapped.says(key):
            yield _placed(problem, found)
        else:
            one = found.pop(key)
            asks = f"what is {dotted(key)}? {one.source} says {one.value}, and {problem.message}"
            draft.questions.append(OpenQuestion(key, asks))


def _cures(found: Mapping[Key, Found]) -> Iterator[OpenQuestion]:
    """Services that share a database, a role or a host name: one of them is the tenant."""
    tenants_ = _known_tenants(found)
    admin = found.get(("database", "admin_user"))
    seen: set[str] = set()
    for key in OWN:
        owners: dict[Any, list[str]] = {}
        for name, one in tenants_.items():
            shared = key == "role" and admin is not None and one.get(key) == admin.value
            if key in one and not shared:
                owners.setdefault(one[key], []).append(name)
        for value, names in owners.items():
            if len(names) > 1 and not seen & set(names):
                seen |= set(names)
                options = tuple(
                    Option([other for other in names if other != name], f"{name} is the tenant") for name in names
                )
                asks = f"{', '.join(names)} share the {key.replace('_', ' ')} {value}: which of them is the tenant?"
                yield OpenQuestion((NOT_TENANTS,), asks, options)


def _inferred(
    draft: ContractDraft,
    stack: Stack | None,
    found: Mapping[Key, Found],
    problems: list[Problem],
    seen: tuple[SecretStr, ...],
) -> Inferred:
    questions, remarks, offers = tuple(draft.questions), tuple(draft.remarks), tuple(draft.offers)
    cures = tuple(_cures(found)) if problems else ()
    return Inferred(stack, found, questions, tuple(problems), remarks, offers, cures, seen)


def _shared(found: Mapping[Key, Found]) -> Iterator[Problem]:
    """What tenants share is known, even while other things are open."""
    tenants_ = _known_tenants(found)
    admin = found.get(("database", "admin_user"))
    yield from duplicates(tenants_, admin.value if admin else None, SOURCE)


def _known_tenants(found: Mapping[Key, Found]) -> dict[str, dict[str, Any]]:
    tenants_: dict[str, dict[str, Any]] = {}
    for key, one in found.items():
        if key[0] == "tenants" and len(key) == 3:
            tenants_.setdefault(key[1], {})[key[2]] = one.value
    for known in tenants_.values():
        if "cluster" in known and "service" in known:
            known["service"] = f"{known['cluster']}/{known['service']}"
    return tenants_


def _document(found: Mapping[Key, Found], passwords: Mapping[Key, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, one in found.items():
        if key not in passwords:
            _place(document, key, one.value)
    document.setdefault("runner", None)
    for part in (document.get("database", {}), *document.get("tenants", {}).values()):
        if isinstance(part, dict):
            part.setdefault("admin_secret_arn" if part is document.get("database") else "secret_arn", None)
    return document


def _place(document: dict[str, Any], key: Key, value: Any) -> None:
    part = document
    for name in key[:-1]:
        below = part.setdefault(name, {})
        part = below if isinstance(below, dict) else {}
    part[key[-1]] = value


def with_passwords(stack: Stack, passwords: Mapping[Key, tuple[SecretStr, str]]) -> Stack:
    """The stack with the passwords that no secret store holds, in memory alone."""
    given = {key: password for key, (password, _) in passwords.items()}
    admin = given.get(("database", "admin_password"))
    database_ = stack.database.model_copy(update={"admin_password": admin})
    tenants_ = {
        name: one.model_copy(update={"password": given.get(("tenants", name, "password"))})
        for name, one in stack.tenants.items()
    }
    return stack.model_copy(update={"database": database_, "tenants": tenants_})


def _placed(problem: Problem, found: Mapping[Key, Found]) -> Problem:
    """The problem, with the resource that says the value, and where to say another."""
    place = problem.context.removeprefix(f"{SOURCE}: ")
    source = next((one.source for key, one in found.items() if dotted(key) == place), "")
    context = f"{place} (from {source})" if source else place
    return Problem(problem.code, problem.message, context, f"correct it there, or {INIT}: contract.{place}")
