"""The database server, its admin, and where the admin's password is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from orchestrator.stack.contract import PASSWORD_KEY
from orchestrator.stack.inference.choice import choose, pick
from orchestrator.stack.inference.model import ContractDraft, at
from orchestrator.stack.inference.secrets import SecretPlace, SecretStores, keep
from orchestrator.stack.inference.sites import Site
from orchestrator.stack.inference.state import State, StateResource
from orchestrator.stack.records import plain

KEY = ("database",)
_HOSTS = ("POSTGRES_HOST", "PGHOST", "DB_HOST", "DATABASE_HOST")
_UNKNOWN_SERVER = "which server is it? Its instance, host, port and admin user, in [contract.database]"


def server_of(state: State, sites: Sequence[Site], draft: ContractDraft) -> StateResource | None:
    """The instance that the tasks' POSTGRES_HOST names; where no task names any host, the only PostgreSQL there is."""
    named = [own for site in sites if (own := of_site(site, state)) is not None]
    options = list({it.address: it for it in named}.values()) or servers(state)
    others = dict.fromkeys(host for site in sites if of_site(site, state) is None and (host := _host(site)))
    clusters = [it.address for it in state.of("aws_rds_cluster")]
    if not named and others:
        asks = f"the tasks' database host is {', '.join(others)}, which no aws_db_instance has: {_UNKNOWN_SERVER}"
        return choose(KEY, options, draft, asks, "address")
    if not options:
        asks = f"the state has no PostgreSQL server{_but(clusters)}: {_UNKNOWN_SERVER}"
        draft.ask(KEY, asks)
        return None
    return pick(KEY, options, draft, "which database server is the stack's?", "address")


def _but(clusters: Sequence[str]) -> str:
    return f" but {', '.join(clusters)} (Aurora and Multi-AZ clusters are not understood)" if clusters else ""


def servers(state: State) -> list[StateResource]:
    """PostgreSQL instances that can be written to, replicas left out."""
    return [
        it
        for it in state.of("aws_db_instance", data=True)
        if it.text("engine").startswith("postgres")
        and not (it.text("replicate_source_db") or it.text("replicate_source"))
    ]


def of_site(site: Site, state: State) -> StateResource | None:
    """The server whose address the site's task is told, perhaps by an alias of a record in the state."""
    host = _host(site)
    for record in state.of("aws_route53_record"):
        if host and host == plain(record.text("fqdn") or record.text("name")):
            host = next((plain(it) for it in record.texts("records")), host)
    return next((it for it in servers(state) if host and it.text("address").lower() == host), None)


def _host(site: Site) -> str:
    """The host that the task is told, by Onyx's variable or by what other applications call it."""
    if site.task is None:
        return ""
    said = next(filter(None, map(site.task.says, _HOSTS)), "")
    return plain(said.partition(":")[0]) or _host_in(site.task.says("DATABASE_URL"))


def _host_in(url: str) -> str:
    try:
        return plain(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def describe(server: StateResource, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> None:
    """The server's part of the contract."""
    values = {
        "instance": server.text("identifier") or server.text("db_instance_identifier"),
        "host": server.text("address"),
        "port": server.values.get("port") or 5432,
        "admin_user": server.text("username") or server.text("master_username"),
    }
    draft.put_all(KEY, values, server.address)
    _password(server, sites, vault, draft)


def _password(server: StateResource, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> None:
    """RDS's own secret; one that holds the same value; the value itself; the secret of tasks that are the admin."""
    for managed in server.blocks("master_user_secret"):
        place = SecretPlace(str(managed.get("secret_arn")), PASSWORD_KEY)
        keep(draft, KEY, server.address, place=place, readable=vault.is_readable(place))
        return
    clear = server.text("password")
    holder = vault.holder(clear) if clear else None
    if holder is not None and vault.is_readable(holder[0]):
        keep(draft, KEY, holder[1], place=holder[0])
    elif clear:
        keep(draft, KEY, server.address, clear=clear)
    elif not _of_a_task(server, sites, vault, draft):
        told = {vault.place(one).arn for site in sites if site.task for one in site.task.secrets.values()}
        known = [it for it in vault.state.of("aws_secretsmanager_secret") if it.text("arn") not in told]
        options = [at(it.address, it.text("name")) for it in known]
        asks = f"where is the password of {server.text('username')}, the admin user of {server.address}?"
        draft.ask((*KEY, "admin_secret_arn"), asks, options)


def _of_a_task(server: StateResource, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> bool:
    for task in (site.task for site in sites if site.task):
        if task.says("POSTGRES_USER") == server.text("username") and server.text("username"):
            told = task.secrets.get("POSTGRES_PASSWORD")
            place = vault.place(told) if told else None
            source = f"{task.address}: POSTGRES_PASSWORD"
            readable = place is None or vault.is_readable(place)
            return keep(draft, KEY, source, place=place, clear=task.says("POSTGRES_PASSWORD"), readable=readable)
    return False
