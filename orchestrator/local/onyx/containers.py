"""What runs in the containers of a task: Onyx 2, 3, 4 or Lite, as far as an operator can see it from outside.

The api container boots as Onyx does and *really depends on things*: see boot.py. Background beside it does as the api
does; in a task of its own it waits for what it needs: background.py. nginx answers `/api/health` only
when the api does. Containers of other images just run. Left out: the application itself (its pages are one small page
that names the tenant), the background workers, the model server, Vespa's application package.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from moto.ecs.models import TaskDefinition

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.ec2 import reach
from orchestrator.local.ecs import scheduler
from orchestrator.local.ecs.container_log import log_target
from orchestrator.local.ecs.model import LivingTask, task_role
from orchestrator.local.ecs.tasks import Application, ContainerExit, fault_is_on, private_ip
from orchestrator.local.onyx.background import Workers
from orchestrator.local.onyx.boot import Api, Environment, TaskSurroundings

WATCH_EVERY = 2.0
SHORTEST_WATCH = 0.05
"""Real seconds between two looks of a task that is up, at any speed."""
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
HEALTH_PATHS = ("/api/health", "/health")


class ContainerRole(Enum):
    """What a container is for."""

    API = "api"
    BACKGROUND = "background"
    WEB = "web"
    NGINX = "nginx"
    OTHER = "other"


def role_of(container: Mapping[str, Any]) -> ContainerRole:
    """What the container is, by its image and name. Both api and background run the backend image."""
    image, name = str(container["image"]).rsplit("/", 1)[-1], str(container["name"])
    if image.startswith("onyx-backend"):
        return ContainerRole.BACKGROUND if "background" in name or "worker" in name else ContainerRole.API
    if image.startswith("onyx-web-server"):
        return ContainerRole.WEB
    return ContainerRole.NGINX if image.startswith("nginx") else ContainerRole.OTHER


def version_of(image: str) -> tuple[int, ...]:
    """What the image's tag says; a tag that is no version (`latest`) is Onyx 2 here, as everything once was."""
    met = re.match(r"v?(\d+)\.(\d+)\.(\d+)", image.rpartition(":")[2])
    return tuple(map(int, met.groups())) if met else (2,)


FIRST_LINES: Mapping[ContainerRole, Sequence[str]] = {
    ContainerRole.API: ("Starting Onyx Api Server",),
    ContainerRole.BACKGROUND: (
        "INFO supervisord started with pid 1",
        "INFO spawned: 'celery_worker_primary' with pid 8",
    ),
    ContainerRole.WEB: ("  ▲ Next.js 15.2.4", "  - Network:      http://0.0.0.0:3000", " ✓ Ready in 412ms"),
    ContainerRole.NGINX: (
        "Using web server host: localhost",
        "Waiting for API server to boot up; this may take a minute or two...",
    ),
    ContainerRole.OTHER: (),
}
PORTS: Mapping[ContainerRole, int] = {ContainerRole.API: 8080, ContainerRole.WEB: 3000, ContainerRole.NGINX: 80}


@dataclass(frozen=True, slots=True)
class OnyxContainer:
    """One container of the task."""

    name: str
    role: ContainerRole
    image: str
    ports: frozenset[int]
    write: Callable[[Sequence[str]], None]


class Onyx:
    """The application of one task. Made when its images are pulled and its secrets read."""

    def __init__(
        self, cloud: Cloud, task: LivingTask, definition: TaskDefinition, environments: Mapping[str, Environment]
    ) -> None:
        self._cloud = cloud
        self._group = str(task.group)
        self._containers = [_container(task, entry) for entry in definition.container_definitions]
        self._api: Api | None = None
        self._workers: Workers | None = None
        place = reach.task(task, private_ip(task))
        surroundings = TaskSurroundings(cloud, task.region_name, task_role(definition), task.id, place, self._group)
        for container in self._containers:
            environment = environments[container.name]
            if container.role is ContainerRole.API:
                version, serves = version_of(container.image), _serves(task, container.name)
                self._api = Api(surroundings, environment, container.name, container.write, version, serves=serves)
            elif container.role is ContainerRole.BACKGROUND and self._api is None:
                self._workers = Workers(surroundings, environment, container.write, version_of(container.image))
        self._domain = next((env["WEB_DOMAIN"] for env in environments.values() if env.get("WEB_DOMAIN")), "")

    @classmethod
    def builder(
        cls, cloud: Cloud, task: LivingTask, definition: TaskDefinition
    ) -> Callable[[dict[str, dict[str, str]]], Application]:
        """A function from the containers' environments to the application."""
        return lambda environments: cls(cloud, task, definition, environments)

    def run(self) -> Iterator[float]:
        """Boot, then stay up until something kills a container."""
        for container in self._containers:
            container.write(FIRST_LINES[container.role])
        boot = self._api or self._workers
        for seconds in boot.boot() if boot is not None else ():
            yield from self._in_small_steps(seconds)
        for seconds in self._workers.work() if self._workers is not None else ():
            yield from self._in_small_steps(seconds)
        while True:
            yield max(WATCH_EVERY, SHORTEST_WATCH * self._cloud.pace.speed)
            self._watch()

    def _in_small_steps(self, seconds: float) -> Iterator[float]:
        while seconds > 0:
            yield min(seconds, WATCH_EVERY)
            seconds -= WATCH_EVERY
            self._watch()

    def _watch(self) -> None:
        if self._api is None:
            return
        if fault_is_on(self._cloud, "oom", self._group):
            raise ContainerExit(self._api.container, 137, OUT_OF_MEMORY)
        if fault_is_on(self._cloud, "container-exits", self._group):
            self._api.crash()
        self._api.watch()

    def answer(self, port: int, host: str, path: str) -> tuple[int, str] | None:
        """What the container that listens on the port says. The api listens only once it has booted."""
        listening = next((container for container in self._containers if port in container.ports), None)
        if listening is None:
            return None
        route = path.partition("?")[0]
        if route in HEALTH_PATHS and fault_is_on(self._cloud, "unhealthy-target", self._group):
            return 503, "Service Unavailable"
        api_is_up = self._api is None or self._api.is_up
        if listening.role is ContainerRole.API:
            return self._api_answer(route) if api_is_up else None
        if listening.role is ContainerRole.NGINX and route.startswith("/api/"):
            return self._api_answer(route.removeprefix("/api")) if api_is_up else (502, _BAD_GATEWAY)
        return self._web_answer(route, host)

    @staticmethod
    def _api_answer(route: str) -> tuple[int, str]:
        if route == "/health":
            return 200, '{"success":true,"message":"ok","data":null}'
        return 403, '{"detail":"Access denied. User is not authenticated."}'

    def _web_answer(self, route: str, host: str) -> tuple[int, str]:
        if route == "/health":
            return 307, "/auth/login?next=%2Fhealth"
        return 200, _page(self._group.partition(":")[2], self._domain or host)

    def close(self) -> None:
        """Let go of the database."""
        if self._api is not None:
            self._api.close()


_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>nginx</body></html>"


def _page(service: str, domain: str) -> str:
    who, where = html.escape(service), html.escape(domain)
    return (
        f"<!doctype html><html><head><title>Onyx</title></head><body><h1>Welcome to Onyx</h1>"
        f"<p>Sign in to {who} at {where}</p><form action='/auth/login'><input name='email'></form></body></html>\n"
    )


def _serves(task: LivingTask, container: str) -> bool:
    """Whether its command, where the task was run with another, starts the application after the migrations."""
    given = (one for one in (task.overrides or {}).get("containerOverrides") or () if one.get("name") == container)
    command = next((one["command"] for one in given if one.get("command")), None)
    return command is None or any("uvicorn" in word for word in command)


def _container(task: LivingTask, entry: Mapping[str, Any]) -> OnyxContainer:
    role, target = role_of(entry), log_target(entry, task.id, task.region_name)
    mapped = {int(port["containerPort"]) for port in entry.get("portMappings") or []}
    ports = mapped or ({PORTS[role]} if role in PORTS else set())

    def write(lines: Sequence[str]) -> None:
        if target is not None and lines:
            target.write(lines)

    return OnyxContainer(str(entry["name"]), role, str(entry["image"]), frozenset(ports), write)


def start(cloud: Cloud) -> Callable[[], None]:
    """ECS runs Onyx from now on. Returns the function that ends it."""
    return scheduler.start(cloud, Onyx.builder)
