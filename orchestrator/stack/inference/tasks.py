"""What a service's containers are told: the environment of the one that talks to the database. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from orchestrator.stack.applications import is_onyx
from orchestrator.stack.blueprint.containers import containers_in
from orchestrator.stack.blueprint.resources import Resource, Resources, blocks_in
from orchestrator.stack.inference import words
from orchestrator.stack.inference.entrances import sets_of
from orchestrator.stack.inference.secrets import SecretStores


@dataclass(frozen=True, slots=True)
class BackendTask:
    """The backend's view. `secrets` is name → `valueFrom`; `domains` the hosts in WEB_DOMAIN and DOMAIN."""

    address: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict)
    log_group: str | None = None
    log_option: str = ""
    """The option of its log driver that names the group."""
    domains: Mapping[str, str] = field(default_factory=dict)
    is_onyx: bool = False
    """Whether one of its images is Onyx's."""
    beside: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What another container of the task is told that knows a host, where this one says `localhost`: a pooler."""
    has_files: bool = False
    """Whether it takes variables from files in S3, which nobody here reads."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where what a secret store says of the database stands, by variable: a parameter's or secret's value."""

    def source(self, name: str) -> str:
        """Where the variable's value stands."""
        return self.sources.get(name) or f"{self.address}: {name}"

    @property
    def log_source(self) -> str:
        """Where its log group stands."""
        return f"{self.address}: {self.log_option}" if self.log_option else self.address

    @property
    def names_another_user(self) -> bool:
        """Whether it says in other words than Onyx's who signs in, or where that is kept."""
        return any(map(words.is_of_a_user, (*self.environment, *self.secrets)))

    @property
    def has_database(self) -> bool:
        """Whether anything of PostgreSQL is said, in Onyx's words or in another application's."""
        return any(map(words.is_of_a_database, (*self.environment, *self.secrets)))

    def says(self, name: str) -> str:
        """A plain variable; empty: not told."""
        return self.environment.get(name, "")


def task_of(service: Resource, state: Resources) -> BackendTask | None:
    """The task definition the service names; by its family where another revision runs than Terraform's."""
    sets = sets_of(service, state)
    wanted = service.text("task_definition") or next((it.text("task_definition") for it in sets), "")
    family = wanted.rsplit("/", 1)[-1].split(":")[0]
    known = state.of("aws_ecs_task_definition")
    same = [it for it in known if wanted and wanted in (it.text("arn"), it.text("arn_without_revision"))]
    same = same or [it for it in known if it.text("family") == family]
    ways = [it for one in (service, *sets) for it in one.blocks("load_balancer")]
    if len({it.text("family") for it in same}) != 1:
        return None
    return _told_by_stores(read(same[0], [str(it.get("container_name") or "") for it in ways]), same[0], state)


def _told_by_stores(task: BackendTask, definition: Resource, state: Resources) -> BackendTask:
    """With what a parameter or a secret says of host, port, database and user, where the state has its value."""
    stores = SecretStores(state, *definition.arn_parts)
    environment, sources = dict(task.environment), {}
    for name, value_from in task.secrets.items():
        place = stores.place(value_from)
        told = words.is_of_a_place(name) or words.is_of_a_user(name)
        if told and name not in environment and (value := stores.value(place)):
            environment[name], sources[name] = value, stores.source(place)
    return replace(task, environment=environment, sources=sources)


def read(definition: Resource, entrances: Sequence[str] = ()) -> BackendTask:
    """The containers of a task definition, seen from the one that talks to the database.

    `entrances` are the containers that the load balancer sends visitors to.
    """
    containers = containers_in(definition.text("container_definitions")) or []
    domains = {
        name: domain
        for name in ("WEB_DOMAIN", "DOMAIN")
        for one in reversed(containers)
        if (domain := _domain(_environment(one).get(name, "")))
    }
    entered = [one for one in containers if one.get("name") in entrances]
    chosen = _backend(containers, entered)
    if chosen is None:
        return BackendTask(definition.address, domains=domains)
    images = [str(one.get("image") or "") for one in containers]
    log_group, log_option = next(filter(None, map(_written_to, [chosen, *entered])), (None, ""))
    return BackendTask(
        definition.address,
        _environment(chosen),
        {str(it.get("name")): str(it["valueFrom"]) for it in blocks_in(chosen.get("secrets")) if it.get("valueFrom")},
        log_group,
        log_option,
        domains,
        is_onyx(images),
        _beside(chosen, containers),
        bool(chosen.get("environmentFiles")),
    )


def _backend(containers: Sequence[Mapping[str, Any]], entered: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The container with a database that also listens; else the first with a database, else where visitors enter."""
    told = {id(one): sum(map(words.is_of_a_database, _names(one))) for one in containers}
    with_database = [one for one in containers if told[id(one)] and one in entered]
    with_database = with_database or [one for one in containers if words.ONYX & _names(one) and not _serves(one)]
    with_database = with_database or [one for one in containers if told[id(one)]]
    listening = [one for one in with_database if one.get("portMappings")]
    return next(iter((*listening, *with_database, *entered, *containers)), None)


def _beside(chosen: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """The environment of the container through which the chosen one gets to its database."""
    if not words.is_the_task_itself(words.host(_environment(chosen))[0]):
        return {}
    others = (_environment(one) for one in containers if one is not chosen)
    hosts = ((said, words.host(said)[0]) for said in others)
    return next((said for said, host in hosts if host and not words.is_the_task_itself(host)), {})


def _serves(container: Mapping[str, Any]) -> bool:
    """Whether its image only helps another: it watches PostgreSQL, or passes connections on."""
    image = str(container.get("image") or "").lower()
    return any(word in image for word in ("exporter", "bouncer", "pgpool", "pgcat", "proxy", "envoy"))


def _names(container: Mapping[str, Any]) -> set[str]:
    return {str(it.get("name")) for kind in ("environment", "secrets") for it in blocks_in(container.get(kind))}


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(it["name"]): str(it.get("value") or "") for it in blocks_in(container.get("environment")) if it.get("name")
    }


def _domain(said: str) -> str:
    try:
        host = urlsplit(said if "//" in said else f"//{said}").hostname or ""
    except ValueError:
        return ""
    return host if "." in host else ""


def _written_to(container: Mapping[str, Any]) -> tuple[str, str] | None:
    """The log group, by the driver `awslogs` or by FireLens, and the option that says it."""
    logging = container.get("logConfiguration")
    options = logging.get("options") if isinstance(logging, Mapping) else None
    said = options if isinstance(options, Mapping) else {}
    known = [(str(said[key]), key) for key in ("awslogs-group", "log_group_name") if said.get(key)]
    return next((it for it in known if "$" not in it[0]), None)
