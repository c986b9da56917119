"""A round trip of a stack: backup, destroy, restore, restore onto what lives, pause, resume; each may be killed.

A phase that was killed is begun again. The world is built through the API by a real, small Terraform configuration
(`tests/e2e/small_stack.py`), which outlives who started it, as ever. What must hold is asked of the world after each
phase, not of what the commands say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.engine.file_lock import FileLock
from orchestrator.local.stories import comparison
from tests.e2e.canary import Needles, files_below, leaks, secrets_of
from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle
from tests.faults.fork_server import Ended, ForkServer
from tests.faults.interceptor import Injection
from tests.waiting import until

BUCKET = f"{NAME}-file-store-123456789012"
LOSSES = (
    "database:onyx_customer_a",
    "database:onyx_customer_b",
    "vespa:customer-a",
    "vespa:customer-b",
    f"bucket:{BUCKET}",
)
"""All that there is to lose."""
PHASES: Mapping[str, tuple[str, ...]] = {
    "backup": ("backup", "--stop-services"),
    "destroy": ("destroy", "--confirm", NAME),
    "restore": ("restore", "--auto-approve"),
    "replace": ("restore", "--auto-approve", *(f"--allow-loss={one}" for one in LOSSES)),
    "pause": ("pause", "--auto-approve"),
    "resume": ("resume",),
}
TRIPS = {"restore": "destroy and restore", "resume": "pause and resume"}
"""What `comparison.json` calls the way back to a phase's end."""
KEPT = ("rows", "databases", "documents", "files", "counts")
"""What a restore onto a live stack brings back as it was."""
WRITER = "customer-a"
"""Who writes something new before some of the phases: a file twice, so that there are older versions."""
SCALING, LIMITS = "customer-b", (2, 5)
"""A tenant whose service scales by itself while the stack is paused and resumed, and its limits."""
LOCK, STATE_LOCK = "terraform.tfstate.orchestrate.lock", ".terraform.tfstate.lock.info"


@dataclass
class RoundTrip:
    """What came of the phases of one round trip: how each ended at first, and what is wrong in the end."""

    first: dict[str, Ended] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass
class RoundTrips:
    """One stack that goes on round trips."""

    place: Lifecycle
    fork_server: ForkServer
    environment: Mapping[str, str]
    trips: Iterator[int] = field(default_factory=itertools.count)
    secrets: Needles = field(default_factory=Needles)

    def run(self, folder: Path, arguments: tuple[str, ...], injection: Injection) -> Ended:
        """A command; when it ends, so has what it had started."""
        where = ("--chdir", str(self.place.folder), "--json", "--poll", "0.2", "--database-transport", "direct")
        ended = self.fork_server.run(folder, self.environment, (*arguments, *where), injection)
        until("terraform has ended", lambda: not self.place.terraform_works())
        return ended

    def once(self, injections: Mapping[str, Injection]) -> RoundTrip:
        """Round once. Each phase begins with its injection; killed, it is begun again, once, and must succeed."""
        number, trip = next(self.trips), RoundTrip()
        folder = self.place.stage.folder / f"trip-{number}"
        folder.mkdir()
        self.place.customers.write(WRITER, 1000 + 3 * number, 1)
        before = comparison.look(self.place.customers)
        for phase, arguments in PHASES.items():
            if phase == "replace":
                self.place.customers.write(WRITER, 1001 + 3 * number, 1)
            if phase == "pause":
                self.place.customers.write(WRITER, 1002 + 3 * number, 1)
                self._scale_by_itself()
                before = comparison.look(self.place.customers)
            trip.first[phase] = last = self.run(folder, arguments, injections.get(phase, Injection()))
            if last.killed:
                last = self.run(folder, arguments, Injection())
            trip.wrong += [f"{phase}: {defect}" for defect in self._defects(phase, folder, last, before)]
            if last.status != 0:
                return trip
        self._scale_no_more()
        after = self.run(folder, ("run",), Injection())
        changed = after.events[-1].get("changed")
        if (after.status, changed) != (0, 0):
            trip.wrong.append(f"a run afterwards ends with {after.status} and changes {changed}")
        self.run(folder, ("backup", "--prune", "1", "--auto-approve"), Injection())
        return trip

    def _defects(self, phase: str, folder: Path, last: Ended, before: comparison.Aspects) -> Iterator[str]:
        """What is not as it must be after a phase."""
        if last.status != 0:
            said = last.stdout[-800:] + last.stderr[-800:]
            yield f"the last run ended with {last.status}: {sorted(last.codes)} {said}"
            return
        if phase == "destroy":
            yield from (f"{what} is still there" for what in self._left())
        elif phase == "pause":
            yield from self._awake()
        else:
            yield from self._changed(phase, before)
        if (
            phase == "backup"
            and (verified := self.run(folder, ("backup", "--verify", "last"), Injection())).status != 0
        ):
            yield f"the backup is not good: {sorted(verified.codes)}"
        if FileLock(self.place.folder / LOCK).holder() or (self.place.folder / STATE_LOCK).exists():
            yield "a lock is left"
        self.secrets |= secrets_of(self.place.stage)
        written = files_below(folder) | files_below(self.place.folder / ".orchestrate")
        yield from (f"a secret is written down: {leak}" for leak in leaks(self.secrets, written))

    def _changed(self, phase: str, before: comparison.Aspects) -> Iterator[str]:
        """What has another fate than the documents claim; and what a finished phase leaves nowhere."""
        after = comparison.look(self.place.customers)
        if phase in ("backup", "replace"):
            kept = KEPT if phase == "replace" else sorted(before.keys() - {"tasks"})
            different = (aspect for aspect in kept if after[aspect] != before[aspect])
            yield from (f"{aspect} is {after[aspect]}, was {before[aspect]}" for aspect in different)
        else:
            yield from comparison.broken(TRIPS[phase], before, after)
        services = {tenant: self.place.stage.service(tenant) for tenant in self.place.customers.contract["tenants"]}
        yield from (f"{name} is tagged {one['tags']}" for name, one in services.items() if one.get("tags"))
        yield from (f"{name} is {state}" for name, state in self.place.databases().items() if state != "available")

    def _left(self) -> Iterator[str]:
        """Of what holds data or costs most."""
        aws = self.place.stage.aws
        yield from self.place.databases()
        yield from (one["Name"] for one in aws.client("s3").list_buckets()["Buckets"] if one["Name"] == BUCKET)
        balancers = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
        yield from (one["LoadBalancerName"] for one in balancers)

    def _awake(self) -> Iterator[str]:
        """What a pause was to stop."""
        yield from (f"{tenant} wants {count} tasks" for tenant, count in self.place.desired().items() if count)
        yield from (f"{name} is {state}" for name, state in self.place.databases().items() if state != "stopped")
        machines = self.place.stage.aws.client("ec2").describe_instances()["Reservations"]
        states = {one["State"]["Name"] for many in machines for one in many["Instances"]} - {"terminated", "stopped"}
        yield from (f"an instance is {state}" for state in states)

    @property
    def _target(self) -> dict[str, str]:
        contract = self.place.customers.contract
        resource = f"service/{contract['cluster']}/{contract['tenants'][SCALING]['service']}"
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": resource,
            "ScalableDimension": "ecs:service:DesiredCount",
        }

    def _scale_by_itself(self) -> None:
        least, most = LIMITS
        scaling = self.place.stage.aws.client("application-autoscaling")
        scaling.register_scalable_target(**self._target, MinCapacity=least, MaxCapacity=most)

    def _scale_no_more(self) -> None:
        self.place.stage.aws.client("application-autoscaling").deregister_scalable_target(**self._target)


@contextmanager
def round_trips(folder: Path) -> Iterator[RoundTrips]:
    """Applied, alive, written to, and everything that a command imports is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    with lifecycle(folder) as place, ForkServer() as fork_server:
        # Straight to the cloud: who is killed would leave the recorder with torn connections.
        environment = {**place.stage.environment(), "AWS_ENDPOINT_URL": place.stage.cloud.running.endpoint}
        yield RoundTrips(place, fork_server, environment)
