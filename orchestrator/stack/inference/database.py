"""The database server, its admin, and where the admin's password is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.aws.value_from import parse, same_secret
from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference import words
from orchestrator.stack.inference.choice import choose, named, pick
from orchestrator.stack.inference.model import ContractDraft, at, literal
from orchestrator.stack.inference.secrets import SecretPlace, SecretStores, keep
from orchestrator.stack.inference.servers import (
    CLUSTER,
    MACHINE,
    ServerPath,
    elsewhere,
    in_rds,
    name_in_rds,
    place,
    servers,
    way_to,
)
from orchestrator.stack.inference.sites import Site
from orchestrator.stack.records import plain
from orchestrator.stack.values import PASSWORD_KEY

KEY = ("database",)
_UNKNOWN_SERVER = "which server is it? Its instance or cluster, host, port and admin user, in [contract.database]"


def server_of(state: Resources, sites: Sequence[Site], draft: ContractDraft) -> Resource | None:
    """The server that the tasks' POSTGRES_HOST names; where no task names any host, the only PostgreSQL there is.

    One that isn't RDS's is known by the tasks alone, where the state has no other server that it could be. Where a
    task's host can't be known here, it is asked, whatever there is.
    """
    if host := draft.mapped.values.get((*KEY, "host")):
        return _told(str(host), state, draft)
    if hidden := [why for site in sites if (why := _hidden(site, state))]:
        asks = f"which database server is the stack's? {hidden[0]}"
        return choose(KEY, servers(state), draft, asks, "address")
    ways = [way for site in sites if (way := way_of(site, state)) is not None]
    options = list({it.server.address: it.server for it in ways}.values()) or servers(state)
    others = dict.fromkeys(host for site in sites if way_of(site, state) is None and (host := host_of(site)[0]))
    if not ways and others:
        which = next(
            filter(None, (_of_another_engine(host, state) for host in others)), "which no server in the state has"
        )
        asks = f"the tasks' database host is {', '.join(others)}, {which}: {_UNKNOWN_SERVER}"
        if len(others) == 1 and not options and not in_rds(next(iter(others))):
            return next(_outside(sites))
        return choose(KEY, options, draft, asks, "address")
    if not options:
        draft.ask(KEY, f"the state has no PostgreSQL server: {_UNKNOWN_SERVER}")
        return None
    return pick(KEY, options, draft, "which database server is the stack's?", "address")


def _outside(sites: Sequence[Site]) -> Iterator[Resource]:
    for site in sites:
        host, variable = host_of(site)
        if host and site.task:
            yield elsewhere(host, site.task.source(variable))


def _told(host: str, state: Resources, draft: ContractDraft) -> Resource | None:
    """The server of the host that orchestrate.toml names: one of the state's, or one that only it knows."""
    options = servers(state)
    if found := named(KEY, options, draft):
        return found
    bare = plain(host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and host.count(":") == 1 else host)
    if way := way_to(bare, state):
        return way.server
    admin = draft.mapped.values.get((*KEY, "admin_user"), "")
    return elsewhere(bare, draft.mapped.sources[(*KEY, "host")], username=admin)


def _hidden(site: Site, state: Resources) -> str:
    """Why its host can't be known here; empty: it is known, or nothing is said of a database at all."""
    task = site.task
    if task is None:
        return f"The task definition of {site.service.address} is not in the state"
    if host_of(site)[0] or way_of(site, state) is not None:
        return ""
    host, variable = words.host(task.environment)
    if host:
        return f"{task.source(variable)} is {host}, a container of the task itself"
    if kept := next((name for name in task.secrets if words.is_of_a_host(name)), ""):
        return f"{task.source(kept)} is in a secret, whose value the state doesn't hold"
    if kept := next((name for name in (*task.environment, *task.secrets) if words.keeps_it(name)), ""):
        return f"{task.source(kept)} names a secret in which the application finds it"
    if task.has_files and not task.has_database:
        return f"{task.address} takes its variables from a file in S3"
    return ""


def _of_another_engine(host: str, state: Resources) -> str:
    for one in state.of("aws_db_instance", "aws_rds_cluster", data=True):
        if host in (plain(one.text("address")), plain(one.text("endpoint"))) and "postgres" not in one.text("engine"):
            return f"{one.address} with {one.text('engine')}, and only PostgreSQL is managed"
    return ""


def way_of(site: Site, state: Resources) -> ServerPath | None:
    """How the host that the site's task is told leads to a server; of one that isn't told, RDS's own secret does."""
    host, _ = host_of(site)
    return way_to(host, state) if host else _by_its_secret(site, state)


def _by_its_secret(site: Site, state: Resources) -> ServerPath | None:
    """The secret that RDS itself keeps of a server is of no other."""
    task = site.task
    told = {**task.environment, **task.secrets}.items() if task else ()
    for server in servers(state):
        for managed in server.blocks("master_user_secret"):
            arn = str(managed.get("secret_arn"))
            for name, said in told:
                if task and said.startswith("arn:") and same_secret(parse(said).source, arn):
                    return ServerPath(server, task.source(name))
    return None


def host_of(site: Site) -> tuple[str, str]:
    """The host that the task is told, by Onyx's variable or by what other applications call it, and that variable.

    Of a task that gets there through a container of its own, the host that this one is told.
    """
    if site.task is None:
        return "", ""
    host, variable = words.host(site.task.environment)
    return words.host(site.task.beside) if words.is_the_task_itself(host) else (host, variable)


def describe(server: Resource, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> None:
    """The server's part of the contract."""
    draft.put_all(KEY, {key: (value, place(server, word)) for key, value, word in _values(server)})
    _name(server, draft)
    if server.type == MACHINE:
        _port(sites, draft)
    if not server.text("username"):
        asks = f"who is the admin of the PostgreSQL server at {server.text('address')}? It creates databases and roles"
        draft.ask((*KEY, "admin_user"), asks, [literal(name) for name in _users(sites)])
    _aliases(server, sites, vault.state, draft)
    _password(server, sites, vault, draft)


def _port(sites: Sequence[Site], draft: ContractDraft) -> None:
    """Of a server that isn't RDS's the tasks alone say it."""
    for site in sites:
        if site.task and (found := words.port(site.task.environment)):
            draft.put((*KEY, "port"), found[0], site.task.source(found[1]))


def _name(server: Resource, draft: ContractDraft) -> None:
    """One of RDS's that the state doesn't hold: its endpoint begins with its name, a proxy's with the proxy's."""
    host = server.text("address")
    kind = in_rds(host) if server.type == MACHINE else ""
    if kind and not any(draft.mapped.says((*KEY, name)) for name in ("instance", "cluster")):
        key = "instance" if kind == "instance" else "cluster"
        name = name_in_rds(host)
        draft.ask((*KEY, key), f"what does RDS call the {key} of {host}?", [literal(name)] if name else [])


def _values(server: Resource) -> Iterator[tuple[str, object, str]]:
    """Key, value, and the server's word for it."""
    if server.type == CLUSTER:
        yield "instance", None, "identifier"
        yield "cluster", server.text("identifier"), "identifier"
    else:
        yield "instance", None if server.type == MACHINE else server.text("identifier"), "identifier"
    yield "host", server.text("address"), "address"
    if server.values.get("port"):
        yield "port", server.values["port"], "port"
    if server.text("username"):
        yield "admin_user", server.text("username"), "username"


def _users(sites: Sequence[Site]) -> Sequence[str]:
    """Who the tasks sign in as: the admin may be among them."""
    return list(dict.fromkeys(name for site in sites if site.task and (name := site.task.says("POSTGRES_USER"))))


def _aliases(server: Resource, sites: Sequence[Site], state: Resources, draft: ContractDraft) -> None:
    """Other names by which the tasks reach it: a proxy's, a record's."""
    sources: dict[str, str] = {}
    for site in sites:
        way, (host, _) = way_of(site, state), host_of(site)
        if not host or way is None or way.server.address != server.address or host == server.text("address"):
            continue
        sources[host] = way.source
        if way.reads:
            draft.remark(
                f"{site.service.address} is configured with {host}, a reader endpoint: no schema is migrated there"
            )
    if sources and not draft.mapped.says((*KEY, "aliases")):
        draft.put((*KEY, "aliases"), list(sources), ", ".join(dict.fromkeys(sources.values())))


def _password(server: Resource, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> None:
    """RDS's own secret; one that holds the same value; the value itself; the secret of tasks that are the admin."""
    for managed in server.blocks("master_user_secret"):
        kept = SecretPlace(str(managed.get("secret_arn")), PASSWORD_KEY)
        keep(draft, KEY, place(server, "master_user_secret"), place=kept, readable=vault.is_readable(kept))
        return
    clear = server.text("password")
    holder = vault.holder(clear) if clear else None
    if holder is not None and vault.is_readable(holder[0]):
        keep(draft, KEY, holder[1], place=holder[0])
    elif clear:
        keep(draft, KEY, place(server, "password"), clear=clear)
    elif not _of_a_task(_admin(server, draft.mapped.values), sites, vault, draft):
        told = {vault.place(one).arn for site in sites if site.task for one in site.task.secrets.values()}
        known = [it for it in vault.state.of("aws_secretsmanager_secret") if it.text("arn") not in told]
        options = [at(it.address, it.text("name")) for it in known]
        admin = server.text("username")
        who = f"{admin}, the admin user of {server.address}" if admin else f"the admin of {server.text('address')}"
        draft.ask((*KEY, "admin_secret_arn"), f"where is the password of {who}?", options)


def _admin(server: Resource, said: Mapping[tuple[str, ...], object]) -> str:
    return server.text("username") or str(said.get((*KEY, "admin_user"), ""))


def _of_a_task(admin: str, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> bool:
    for task in (site.task for site in sites if site.task):
        if admin and task.says("POSTGRES_USER") == admin:
            told = task.secrets.get("POSTGRES_PASSWORD")
            kept = vault.place(told) if told else None
            readable = kept is None or vault.is_readable(kept)
            source, clear = task.source("POSTGRES_PASSWORD"), task.says("POSTGRES_PASSWORD")
            return keep(draft, KEY, source, place=kept, clear=clear, readable=readable)
    return False
