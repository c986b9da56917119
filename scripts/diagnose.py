"""Every fault of the local cloud, one by one, in a healthy stack of two tenants: the doctor names its cause first.

`python scripts/diagnose.py [FAULT …]`. Prints fault, seconds, AWS calls, first finding, right or wrong; exits with 1
when a root cause was not the first finding, or a healthy stack was found ill. Takes some minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3

from orchestrator import app, certificates, contract
from orchestrator.contract import Stack
from orchestrator.engine.check import Diagnosis
from orchestrator.engine.clock import SystemClock
from orchestrator.local import client, world
from orchestrator.local.faults import catalogue
from orchestrator.local.state import Running
from orchestrator.settings import Settings

SPEED = 200.0
PATIENCE = 60.0
"""Seconds until a fault must have shown, and a cleared one must be gone."""
TENANT = "customer-b"
CAUSES = {
    "bucket-denied": "bucket-denied",
    "bucket-missing": "bucket-missing",
    "database-auto-restarted": "database-restarted",
    "database-port-closed": "database-port-closed",
    "database-stopped": "database-server-stopped",
    "dns-old-record": "dns-record-stale",
    "dns-servfail": "dns-unanswered",
    "dns-silent": "dns-unanswered",
    "endpoint-for-address": "database-host-has-port",
    "health-path": "health-check-path-wrong",
    "image-pull": "task-image-pull-failed",
    "listener-rule-missing": "listener-rule-missing",
    "log-group-missing": "log-group-missing",
    "missing-database": "database-missing",
    "no-way-out": "subnet-without-way-out",
    "oom": "task-out-of-memory",
    "redis-port-closed": "redis-port-closed",
    "redis-without-tls": "redis-tls-mismatch",
    "runner-offline": "runner-offline",
    "runner-without-psql": "could-not-look",
    "scaled-to-zero": "desired-count-zero",
    "secret-key-missing": "secret-key-missing",
    "secrets-denied": "execution-role-denied",
    "short-grace": "grace-period-short",
    "small-database": "database-server-small",
    "unhealthy-target": "task-target-unhealthy",
    "vespa-container-down": "vespa-container-down",
    "vespa-port-8080": "vespa-port-wrong",
    "vespa-port-closed": "vespa-port-closed",
    "vespa-stopped": "vespa-instance-stopped",
}
"""Fault → the code that must come first."""
HARMLESS = frozenset({"throttle", "dns-stale", "dns-truncated", "no-capacity", "snapshot-fails", "snapshot-hangs"})
"""Faults that must show nothing (a secondary is stale only about what changes, capacity is felt at a start). Porkbun's
concern no stack here."""


@dataclass
class Patient:
    """The stack, and who looks at it."""

    running: Running
    stack: Stack

    def operation(self) -> app.Operation:
        clock = SystemClock()
        settings = Settings({"poll": "0.5"}, dict(os.environ), Path())
        return app.Operation(self.stack, app.Selection(), settings, dict(os.environ), clock)

    def examined(self) -> tuple[Diagnosis, int]:
        operation = self.operation()
        return operation.examine(), operation.aws.calls

    def fault(self, method: str, name: str) -> None:
        tenant = TENANT if catalogue()[name].per_tenant else ""
        client.ask(self.running, "faults", method, name=name, tenant=tenant)


def first(diagnosis: Diagnosis) -> str:
    return diagnosis.cases[0].root.code if diagnosis.cases else "nothing"


def until(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > deadline:
            return False
    return True


def healthy(patient: Patient) -> bool:
    """Bring it to life again; whether the doctor then finds nothing."""
    patient.operation().run(lambda _event: None)

    def nothing() -> bool:
        return not patient.examined()[0].cases

    return until(nothing)


def tried(patient: Patient, name: str) -> bool:
    """Inject, look until the cause is first (or patience ends), clear, heal."""
    wanted = CAUSES.get(name, "nothing")
    patient.fault("POST", name)
    seen: list[tuple[str, int]] = []

    def right() -> bool:
        diagnosis, calls = patient.examined()
        seen.append((first(diagnosis), calls))
        return seen[-1][0] == wanted

    began = time.monotonic()
    found = until(right)
    seconds = time.monotonic() - began
    patient.fault("DELETE", name)
    well = healthy(patient)
    verdict = "yes" if found else f"NO, {wanted}"
    print(
        f"{name:<24} {seconds:>6.1f} {seen[-1][1]:>6} {seen[-1][0]:<26} {verdict}{'' if well else ' (stays ill)'}",
        flush=True,
    )
    return found and well


def admitted(folder: Path) -> Patient:
    """A cloud of its own with the example stack, alive."""
    running = client.up("diagnose", folder, speed=SPEED)
    os.environ.update(client.ask(running, "env"))
    document = world.build(boto3.Session(), endpoint=running.endpoint)
    patient = Patient(running, contract.parse(document, "world"))
    certificate = app.Certification(
        certificates.request_of(patient.stack),
        Settings({"poll": "0.5"}, dict(os.environ), Path()),
        dict(os.environ),
        SystemClock(),
    )
    certificate.run(lambda _event: None)
    return patient


def main(asked: list[str]) -> int:
    names = asked or sorted({*CAUSES, *HARMLESS})
    unknown = {name for name in catalogue() if not name.startswith("porkbun")} ^ {*CAUSES, *HARMLESS}
    if unknown:
        print(f"the catalogue and this table differ: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            patient = admitted(Path(folder) / "cloud")
            if not healthy(patient):
                print(f"healthy: NO, {first(patient.examined()[0])}")
                return 1
            print(f"{'fault':<24} {'s':>6} {'calls':>6} {'first finding':<26} right?")
            wrong = [name for name in names if not tried(patient, name)]
        finally:
            client.down(Path(folder) / "cloud")
    print(f"{len(names) - len(wrong)} of {len(names)} right{': not ' + ', '.join(wrong) if wrong else ''}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
