"""What a stack costs a month while it runs and while it is paused: an estimate from a dated table of prices.

Left out, as it depends on use: traffic, load balancer capacity units, logs, S3, secrets, snapshots, backups.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from orchestrator.aws.inventory import TaskSize, Volume
from orchestrator.errors import counted

UNITS_A_VCPU = 1024
MIB_A_GB = 1024
NO_STORAGE = Volume("gp3", 0)


@dataclass(frozen=True, slots=True)
class StackSizes:
    """What the stack has. `tasks` are pairs of a number and a size: as many as run, or come back after a pause.

    `staying` are those of them that this pause leaves alone; not `whole`: it leaves everything but tasks alone.
    """

    region: str
    tasks: tuple[tuple[int, TaskSize], ...] = ()
    staying: tuple[tuple[int, TaskSize], ...] = ()
    whole: bool = True
    database: str = ""
    storage: Volume = NO_STORAGE
    multi_az: bool = False
    stoppable: bool = True
    """Whether RDS stops the database server: not with read replicas."""
    instances: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    cache_nodes: tuple[str, ...] = ()
    nat_gateways: int = 0
    load_balancers: int = 1
    public_addresses: int = 0


@dataclass(frozen=True, slots=True)
class CostLine:
    """One part of the bill, in dollars a month."""

    what: str
    running: float
    paused: float

    def __str__(self) -> str:
        return f"{self.what}: ${self.running:,.2f} → ${self.paused:,.2f}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """`unpriced` are sizes that the table doesn't know; `region` is whose prices were taken."""

    lines: tuple[CostLine, ...]
    unpriced: tuple[str, ...]
    region: str
    as_of: str
    source: str

    @property
    def running(self) -> float:
        """Dollars a month."""
        return sum(line.running for line in self.lines)

    @property
    def paused(self) -> float:
        """Dollars a month."""
        return sum(line.paused for line in self.lines)

    def __str__(self) -> str:
        lacking = f"; without {', '.join(self.unpriced)}" if self.unpriced else ""
        return (
            f"an estimate: about ${self.running:,.0f} a month while it runs, ${self.paused:,.0f} while it is paused "
            f"(prices of {self.region}, {self.as_of}{lacking})"
        )


@cache
def prices() -> Mapping[str, Any]:
    """The table."""
    text = resources.files(__package__ or "").joinpath("prices.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def estimate(held: StackSizes, table: Mapping[str, Any] | None = None) -> Estimate:
    """What it costs. A region that the table doesn't have is priced as its default one, which is said. Pure."""
    table = table or prices()
    region = held.region if held.region in table["regions"] else table["default_region"]
    bill = _Bill(table["tables"][table["regions"][region]], table["hours_a_month"])
    lines = tuple(bill.lines(held))
    return Estimate(lines, tuple(dict.fromkeys(bill.unpriced)), region, table["as_of"], table["source"])


class _Bill:
    """The lines of one estimate; `unpriced` grows while they are made."""

    def __init__(self, table: Mapping[str, Any], hours: float) -> None:
        self._table = table
        self._hours = hours
        self.unpriced: list[str] = []

    def lines(self, held: StackSizes) -> Iterator[CostLine]:
        """What pausing stops first, then what goes on."""
        number = sum(each for each, _ in held.tasks)
        yield CostLine(f"Fargate, {counted(number, 'task')}", self._tasks(held.tasks), self._tasks(held.staying))
        zones = 2 if held.multi_az else 1
        server = self._hourly("database", held.database) * zones
        yield CostLine(f"RDS {held.database}", server, 0.0 if held.whole and held.stoppable else server)
        instances = sum(self._hourly("instance", one) for one in held.instances)
        yield CostLine(f"EC2 {_counted(held.instances)}", instances, 0.0 if held.whole else instances)
        yield _same("RDS storage", self._gigabytes("database_gb", held.storage) * zones)
        yield _same("EBS volumes", sum(self._gigabytes("volume_gb", one) for one in held.volumes))
        nodes = sum(self._hourly("cache", one) for one in held.cache_nodes)
        yield _same(f"ElastiCache {_counted(held.cache_nodes)} (can't be stopped)", nodes)
        yield _same("NAT gateways", held.nat_gateways * self._table["nat_gateway"] * self._hours)
        yield _same("load balancer", held.load_balancers * self._table["load_balancer"] * self._hours)
        yield _same("public IPv4 addresses", held.public_addresses * self._table["public_address"] * self._hours)

    def _tasks(self, tasks: Iterable[tuple[int, TaskSize]]) -> float:
        return sum(self._task(size) * number for number, size in tasks)

    def _task(self, size: TaskSize) -> float:
        each = self._table["fargate"].get(size.architecture)
        if each is None:
            self.unpriced.append(f"Fargate {size.architecture}")
            return 0.0
        an_hour = size.cpu / UNITS_A_VCPU * each["vcpu"] + size.memory / MIB_A_GB * each["gb"]
        return float(an_hour * self._hours)

    def _hourly(self, kind: str, name: str) -> float:
        return self._price(kind, name) * self._hours

    def _gigabytes(self, kind: str, volume: Volume) -> float:
        return self._price(kind, volume.type) * volume.size

    def _price(self, kind: str, name: str) -> float:
        price = self._table[kind].get(name)
        if price is None:
            self.unpriced.append(name or kind)
        return float(price or 0.0)


def _same(what: str, cost: float) -> CostLine:
    return CostLine(what, cost, cost)


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(names).items())) or "none"
