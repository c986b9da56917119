"""What is true of a scripted stack, moving with time, and the mishaps at chosen calls; `scripted` shows it to steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from orchestrator.dns.model import Record
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.stack import contract
from tests.faults.schedule import Schedule

T = TypeVar("T")
TENANTS = ("a", "b")
BOOT, HEALTHY, FAILS = 20.0, 60.0, 45.0
"""Seconds after a deployment began: its tasks look for their database, are good, have failed for good."""
SPREADING = 30.0
MODIFYING = 40.0


class Killed(BaseException):
    """The process is gone: nothing more happens in it."""


@dataclass
class Rollout:
    """A deployment: when it began, and when its database was missed (None: it was not)."""

    id: str
    began: float
    found_database: bool | None = None


@dataclass
class World:
    """What is true. Attributes that end in `_at` are moments in virtual seconds."""

    clock: Schedule
    stack: contract.Stack
    available_at: float = 0.0
    online_at: float = 0.0
    databases: dict[str, set[str]] = field(default_factory=lambda: {tenant: set() for tenant in TENANTS})
    usable_at: dict[str, float] = field(default_factory=dict)
    token: str = "none"
    tagged: bool = False
    redis_busy_until: float = 0.0
    lag: float = 0.0
    """Seconds until a change of Redis, of a service or of a zone shows in what is read."""
    before: dict[str, tuple[float, Any]] = field(default_factory=dict)
    """Of what was changed last: when, and what it was."""
    rollouts: dict[str, list[Rollout]] = field(default_factory=dict)
    desired: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TENANTS, 1))
    records: dict[str, Record] = field(default_factory=dict)
    visible: dict[str, tuple[float, str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    calls: int = 0
    mishaps: dict[int, str] = field(default_factory=dict)
    dead: bool = False
    excused: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        for tenant in TENANTS:
            self.begin_rollout(tenant)

    # What happens by itself, and what others do.

    def begin_rollout(self, tenant: str) -> str:
        """A deployment begins, whoever asked for it."""
        self.made += 1
        begun = Rollout(f"ecs-svc/{self.made}", self.clock.seconds)
        self.rollouts.setdefault(tenant, []).append(begun)
        return begun.id

    def move(self) -> None:
        """Time has passed."""
        for tenant, rollouts in self.rollouts.items():
            for one in rollouts:
                if one.found_database is None and self.clock.seconds >= one.began + BOOT:
                    one.found_database = self.usable(tenant)
            if self.is_up(tenant):
                del rollouts[:-1]

    def usable(self, tenant: str) -> bool:
        """Whether a task of the tenant finds its database."""
        return {"role", "database", "password"} <= self.databases[tenant]

    def is_up(self, tenant: str) -> bool:
        """Whether its newest deployment runs and is healthy."""
        newest = self.rollouts[tenant][-1]
        return bool(newest.found_database) and self.clock.seconds >= newest.began + HEALTHY

    def make(self, tenant: str, part: str) -> None:
        """One statement on the tenant's database."""
        self.databases[tenant].add(part)
        if part != "private":
            self.usable_at[tenant] = self.clock.seconds

    def drop(self, tenant: str) -> None:
        """Somebody drops the database: running tasks die, and those started again find none."""
        self.databases[tenant] -= {"database", "private"}
        self.rollouts[tenant][-1].found_database = False
        self.excused |= {f"ensure {tenant}", f"redeploy {tenant}"}

    def good(self, tenant: str) -> bool:
        """Whether the tenant has all that a run is for."""
        name = self.stack.tenants[tenant].hostname
        led = self.visible.get(name, (0.0, ""))[1] == self.stack.load_balancer.dns_name
        complete = self.databases[tenant] == {"role", "database", "password", "private"}
        return complete and self.token == "only" and self.is_up(tenant) and led

    def shown(self, what: str, truth: T) -> T:
        """The truth, or what it was while the last change does not show yet."""
        at, was = self.before.get(what, (-self.lag, truth))
        return cast("T", was) if self.clock.seconds < at + self.lag else truth

    # Calls.

    def call(self, what: str, do: Callable[[], T]) -> T:
        """One outside call, which the script may spoil."""
        if self.dead:
            raise Killed
        self.calls += 1
        mishap = self.mishaps.pop(self.calls, "")
        if mishap in ("refused", "denied"):
            kind = Transient if mishap == "refused" else OrchestratorError
            raise kind(Problem("throttled" if mishap == "refused" else "access-denied", mishap, what, "wait"))
        if mishap == "killed-before":
            self._die()
        done = do()
        if mishap == "killed-after":
            self._die()
        if mishap == "lost":
            raise Transient(Problem("aws-unreachable", "no answer", what, "wait"))
        return done

    def _die(self) -> None:
        self.dead = True
        raise Killed

    def change(self, what: str, do: Callable[[], T], *, needed: bool) -> T:
        """A change: it is wrong unless it was needed when it was made."""

        def made() -> T:
            if not needed and what not in self.excused:
                self.wrong.append(f"{what} at {self.clock.seconds:.0f} s was not needed")
            return do()

        return self.call(what, made)
