"""One tenant per site: database, role and password from its task, name and targets from its routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.inference import health, words
from orchestrator.stack.inference.model import ContractDraft, Key, Option, dotted
from orchestrator.stack.inference.secrets import ADMIN_KEYS, TENANT_KEYS, SecretPlace, SecretStores, keep
from orchestrator.stack.inference.sites import Site, hostname, target_group
from orchestrator.stack.inference.tasks import BackendTask

DEFAULT_ROLE = "postgres"
"""Onyx's POSTGRES_USER when nothing is said."""


def describe(
    site: Site, server: Resource | None, vault: SecretStores, draft: ContractDraft, everywhere: Sequence[Site]
) -> None:
    """The tenant's part of the contract, under its service's name. `everywhere` are all services with a way in."""
    key = ("tenants", site.name)
    draft.put((*key, "service"), site.service_name, site.service.place("name"))
    hostname(site, (*key, "hostname"), draft, vault.state, everywhere)
    target_group(site, (*key, "target_group_arn"), draft)
    task = site.task
    if task is None:
        draft.put((*key, "log_group"), None, site.service.address)
        unknown = f"the task definition of {site.service.address} is not in the state"
        draft.ask((*key, "database"), f"{unknown}: what is its database?")
        draft.ask((*key, "role"), f"{unknown}: which role do its tasks sign in as?")
        return
    draft.put((*key, "log_group"), task.log_group, task.log_source)
    if not task.is_onyx and (group := draft.found.get((*key, "target_group_arn"))):
        health.describe(str(group.value), key, draft, vault.state)
    _database(task, (*key, "database"), draft)
    _role(task, (*key, "role"), server, vault, draft)
    _password(task, key, server, vault, draft)


def _database(task: BackendTask, key: Key, draft: ContractDraft) -> None:
    name = task.says("POSTGRES_DB")
    if name:
        draft.put(key, name, task.source("POSTGRES_DB"))
    else:
        told = "in a secret" if "POSTGRES_DB" in task.secrets else "not set"
        asks = f"what is the database of {task.address}? POSTGRES_DB is {told}"
        draft.ask(key, asks, _maybe(words.databases(task.environment)))


def _maybe(found: Iterable[tuple[str, str]]) -> tuple[Option, ...]:
    """Values of variables that may say it."""
    return tuple(Option(said, f"{said} ({name})") for said, name in dict(reversed([*found])).items())


def _role(task: BackendTask, key: Key, server: Resource | None, vault: SecretStores, draft: ContractDraft) -> None:
    source = task.source("POSTGRES_USER")
    told = task.secrets.get("POSTGRES_USER")
    if task.says("POSTGRES_USER"):
        draft.put(key, task.says("POSTGRES_USER"), source)
    elif not told and task.is_onyx and _is_default(server) and not task.names_another_user:
        draft.put(key, DEFAULT_ROLE, f"{source} (not set: Onyx's default, which is the admin user here)")
    elif not told:
        asks = f"which role do the tasks of {task.address} sign in as? POSTGRES_USER is not set"
        admin = [(DEFAULT_ROLE, "the admin user")] if _is_default(server) and not task.names_another_user else []
        draft.ask(key, asks, _maybe([*words.users(task.environment), *admin]))
    elif name := _user_in(vault.place(told), server, vault):
        draft.put(key, name, source)
    else:
        draft.ask(key, f"which role do the tasks of {task.address} sign in as? It is kept in a secret")


def _is_default(server: Resource | None) -> bool:
    return server is not None and server.text("username") == DEFAULT_ROLE


def _user_in(place: SecretPlace, server: Resource | None, vault: SecretStores) -> str:
    """The user name in a secret: known of RDS's own, and where the state holds the value."""
    managed = [str(it.get("secret_arn")) for it in server.blocks("master_user_secret")] if server else []
    if server is not None and place.arn in managed and place.key == "username":
        return server.text("username")
    return vault.value(place)


def _password(task: BackendTask, key: Key, server: Resource | None, vault: SecretStores, draft: ContractDraft) -> None:
    """A secret the runner can read, else its value where the state has it; nothing said: the admin's, if it is it."""
    told, source = task.secrets.get("POSTGRES_PASSWORD"), task.source("POSTGRES_PASSWORD")
    place = vault.place(told) if told else None
    readable = place is None or vault.is_readable(place)
    clear = task.says("POSTGRES_PASSWORD") if readable or place is None else vault.value(place)
    if keep(draft, key, source, place=None if clear else place, clear=clear, readable=readable):
        return
    role = draft.found.get((*key, "role"))
    if server is not None and role is not None and role.value == server.text("username"):
        _as_admin(key, draft)
    else:
        draft.put((*key, "secret_arn"), None, f"{source} (not set)")
        draft.remark(f"{key[-1]}: its password is not known; a missing role can't be created")
        if name := words.password(task.secrets):
            where = task.secrets[name] if task.secrets[name].startswith("arn:") else vault.place(task.secrets[name]).arn
            said = f'{dotted((*key, "secret_arn"))} = "{where}"'
            draft.remark(f"{key[-1]}: if {name} is the password of its role, say so: {said}")


def _as_admin(key: Key, draft: ContractDraft) -> None:
    for mine, its in zip(TENANT_KEYS, ADMIN_KEYS, strict=True):
        if ("database", its) in draft.found:
            draft.found[(*key, mine)] = draft.found["database", its]
        if ("database", its) in draft.passwords:
            draft.passwords[(*key, mine)] = draft.passwords["database", its]
