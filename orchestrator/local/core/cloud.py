"""The composition of the local cloud: which parts there are, in what order they start, and what they share."""

from __future__ import annotations

import importlib
import importlib.util
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

import trustme

from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.core.record import CallRecord

Given = ParamSpec("Given")
Shared = TypeVar("Shared")

REGION_VARIABLE = "LOCAL_CLOUD_REGION"
"""Of the cloud's own process, which its starter sets: a cloud is in one region, and so in one partition."""
REGION = os.environ.get(REGION_VARIABLE, "us-west-2")
ACCOUNT = "123456789012"
ACCESS_KEY = "local"
SECRET_KEY = "local"

PARTS = (
    "rds.postgres",
    "elasticache.redis",
    "ssm.agent",
    "onyx.containers",
    "ecs.autoscaler",
    "elb.balancer",
    "dns.nameserver",
)
"""Modules of the rooms with `start(cloud) -> stop`, in the order they start. They stop in the reverse order."""

LEFT_OUT = (
    "security groups and routes affect only tasks; IAM applies only to the roles of tasks and instances",
    "containers, instances, Vespa and OpenSearch are stand-ins without search; Redis only lets clients sign in",
    "RDS is a real PostgreSQL of the version found on this machine, one server, without replicas",
    "certificates come from a throwaway CA; nothing is billed, metered or kept after `down`",
)
"""Said to the operator when the cloud starts."""


def partition_of(region: str) -> str:
    """The partition that a region is in, of those that moto knows: all ARNs of its account name it."""
    others = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in others.items() if region.startswith(prefix)), "aws")


PARTITION = partition_of(REGION)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an AWS host name really is on this machine."""

    ip: str
    port: int


class AddressBook:
    """AWS host names (RDS, load balancers, Redis, Vespa) → where they really are. Thread-safe; names are lower case."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Address] = {}

    def publish(self, name: str, address: Address) -> None:
        """The name exists from now on."""
        with self._lock:
            self._entries[name.lower().rstrip(".")] = address

    def withdraw(self, name: str) -> None:
        """The name is gone (NXDOMAIN)."""
        with self._lock:
            self._entries.pop(name.lower().rstrip("."), None)

    def find(self, name: str) -> Address | None:
        """Where the name is, or None: it does not exist."""
        with self._lock:
            return self._entries.get(name.lower().rstrip("."))

    def all(self) -> dict[str, Address]:
        """A copy of every entry."""
        with self._lock:
            return dict(self._entries)


@dataclass(frozen=True, slots=True)
class BalancerTarget:
    """A target of a target group. `state` is ELB's (`healthy`, `unhealthy`, `initial`, `draining`, …).

    `answer` is what the target says to a request: host and path (with its query) → HTTP status and body.
    """

    ip: str
    port: int
    state: str
    answer: Callable[[str, str], tuple[int, str]]


def _no_targets(_target_group_arn: str) -> list[BalancerTarget]:
    return []


class DatabaseServers(Protocol):
    """The servers behind RDS instances (postgres.py). Every call blocks until it is done; a failure raises."""

    def create(self, instance: str, host: str, *, master: str, password: str, database: str | None) -> Address:
        """A new, empty server that listens; `host` is the name on its certificate."""

    def stop(self, instance: str) -> None:
        """It no longer answers; its data stay."""

    def start(self, instance: str) -> Address:
        """It answers again, where it was."""

    def set_password(self, instance: str, master: str, password: str) -> None:
        """The master user's new password counts for new connections."""

    def delete(self, instance: str) -> None:
        """It and its data are gone. No error when there is none."""

    def snapshot(self, instance: str, snapshot: str) -> None:
        """The data of a server that runs are kept under this name."""

    def restore(self, instance: str, host: str, snapshot: str) -> Address:
        """A new server that listens, with the snapshot's data."""

    def forget(self, snapshot: str) -> None:
        """The snapshot's data are gone. No error when there are none."""


@dataclass(slots=True)
class Cloud:
    """What the parts of the local cloud share. A part never imports another part: it asks the cloud, or moto."""

    directory: Path
    pace: Pace
    ca: trustme.CA
    faults: Faults
    log: Callable[[str], None]
    addresses: AddressBook = field(default_factory=AddressBook)
    endpoint: str = ""
    """`http://127.0.0.1:PORT` of the AWS endpoint, once it listens."""
    bin: Path = Path()
    """Folder with the tools an instance would have (psql, aws, docker, curl)."""
    name: str = "default"
    databases: DatabaseServers | None = None
    """The servers behind RDS, once the part `postgres` runs."""
    database_port: int = 0
    """The port the first RDS instance gets: known before there is one, so that `local env` can say it at once."""
    site_port: int = 0
    """Where the load balancers' HTTPS answers (127.0.0.1), set by the part `balancer`."""
    resolver: str = ""
    """`127.0.0.1:PORT` of the DNS server, set by the part `nameserver`."""
    redis_accepts: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    """Replication group → the AUTH tokens it takes now, kept in this process only; None: who has none gets in too."""
    exports: dict[str, str] = field(default_factory=dict)
    """More variables for `orchestrate local env`, added by the parts."""
    calls: dict[str, int] = field(default_factory=dict)
    """AWS calls answered so far, by service."""
    record: CallRecord = field(default_factory=CallRecord)
    """Which calls were made, by whom."""
    page: int = 0
    """Items on one page of a list at most (`laws.pages`); 0: as many as AWS gives."""
    late: float = 0.0
    """Real seconds for which reads may show the world before a change (`laws.consistency`); 0: never."""
    seed: int = 0
    """What decides when a late truth is told (`laws.consistency`)."""
    too_fast: Counter[str] = field(default_factory=Counter)
    """Calls refused so far because of their rate, by operation."""
    rates: float | None = None
    """How many seconds of AWS's rates pass in a real one (`laws.rates`); None: as many as of AWS's other delays."""
    quotas: int = 1
    """How many times AWS's default quotas the account may have, of those that can be raised (`laws.quotas`)."""
    enforces_iam: bool = False
    """Whether IAM decides on every call (`iam.moto_enforcement`)."""
    targets: Callable[[str], list[BalancerTarget]] = _no_targets
    """Target group ARN → its targets; set by the part that runs the tasks."""
    porkbun_key: str = field(default_factory=lambda: f"pk1_{secrets.token_hex(32)}")
    """The value of PORKBUN_API_KEY."""
    porkbun_secret: str = field(default_factory=lambda: f"sk1_{secrets.token_hex(32)}")
    """The value of PORKBUN_SECRET_API_KEY."""
    _shared: dict[object, Any] = field(default_factory=dict)
    _sharing: threading.Lock = field(default_factory=threading.Lock)

    def shared(self, kind: Callable[Given, Shared], *args: Given.args, **kwargs: Given.kwargs) -> Shared:
        """What one room keeps and others ask for (`Registrar`, `Audit`): one of its kind in a cloud. Thread-safe.

        Whoever asks first makes it, with these arguments.
        """
        with self._sharing:
            if kind not in self._shared:
                self._shared[kind] = kind(*args, **kwargs)
            found: Shared = self._shared[kind]
            return found

    def seconds_of_rates(self) -> float:
        """The monotonic seconds that AWS's and Porkbun's rates count in."""
        return self.pace.passed() if self.rates is None else self.pace.monotonic() * self.rates

    @property
    def ca_file(self) -> Path:
        """The throw-away CA's certificate (PEM)."""
        return self.directory / "ca.pem"

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do it in AWS's `seconds`, in a thread of its own; never, when the cloud goes down first."""

        def wait_and_act() -> None:
            if not self.pace.sleep(seconds):
                return
            try:
                action()
            except Exception as error:  # noqa: BLE001 - nobody waits for this thread: the log is the only one to tell
                self.log(f"{getattr(action, '__qualname__', action)} failed: {error!r}")

        threading.Thread(target=wait_and_act, daemon=True).start()


@contextmanager
def running(cloud: Cloud) -> Iterator[None]:
    """Every part that exists runs; on the way out they stop in reverse, each even when another fails to."""
    with ExitStack() as stack:
        for part in PARTS:
            name = f"orchestrator.local.{part}"
            if importlib.util.find_spec(name) is None:
                continue
            stop: Callable[[], None] = importlib.import_module(name).start(cloud)
            stack.callback(stop)
            cloud.log(f"{part} runs")
        stack.callback(cloud.pace.stop)
        yield
