"""The way up: tenants of Onyx 2 with rows, objects and documents go to Onyx 4, one after the other.

`python -m orchestrator.local.stories.upgrade`. `orchestrate upgrade` is killed (SIGKILL) once at each of its stations,
and the same command is given again; a person changes the stack's lines where it asks for that. At the end Vespa is
given up. The last line is `identical`, or what differs: every row that customers wrote, every object, every document
by its id, read by a witness of its own. The stack is made through the API (`local/world`), without Terraform.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.errors import Outcome
from orchestrator.local import world
from orchestrator.local.core import api
from orchestrator.local.core.waiting import eventually
from orchestrator.local.endpoint import client
from orchestrator.local.onyx.copying import FAILING
from orchestrator.local.stories import compared
from orchestrator.local.stories.customers import Customers, digest
from orchestrator.local.stories.demo.stage import Stage, StoryError, nothing
from orchestrator.local.stories.documents import documents_of
from orchestrator.local.world import version

SPEED = 60.0
TENANTS = ("customer-a", "customer-b")
WRITTEN = 30
"""Messages, objects and documents of each tenant."""
COPY = "documents-copied"
STATIONS = (
    "database-snapshot",
    "version-changed",
    "schema-migrated",
    "migrated-rollout",
    COPY,
    "documents-proven",
)
"""The steps at whose beginning the command is killed."""
PATIENCE = 1800.0
"""Seconds until a command has said something more: the machine may have other work."""
_TABLES = ("chat_message", "key_value_store")

Contents = Mapping[str, str]
"""What → the digest of all of it: rows/TENANT, documents/TENANT, files."""


@dataclass(slots=True)
class Person:
    """Who keeps the stack: changes its lines where the command asks for that, and writes the contract anew."""

    environ: Mapping[str, str]
    file: Path
    done: set[tuple[str, str]] = field(default_factory=set)
    """By tenant what has been changed."""
    then: Callable[[], None] = lambda: None
    """What else there is to be done after each change."""

    @property
    def contract(self) -> dict[str, Any]:
        """As it is now."""
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    def hears(self, tenant: str, asked: str) -> None:
        """What the command waits for."""
        session, endpoint, present = api.session(self.environ), self.environ["AWS_ENDPOINT_URL"], self.contract
        change = next((tag for tag in ("v3.2.1", "v4.6.1") if f"not {tag}" in asked), "")
        if change and self._is_new(tenant, change):
            made = version.register_version(session, present, tenant, int(change[1]), endpoint=endpoint)
        elif "no background" in asked and self._is_new(tenant, "background"):
            made = version.make_background(session, present, tenant, endpoint=endpoint)
        elif "Vespa is removed" in asked and self._is_new(tenant, "removed"):
            made = version.remove_vespa(session, present, tenant, endpoint=endpoint)
        else:
            return
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(made, indent=2), encoding="utf-8")
        draft.replace(self.file)
        self.then()

    def _is_new(self, tenant: str, what: str) -> bool:
        is_new = (tenant, what) not in self.done
        self.done.add((tenant, what))
        return is_new

    def phase(self, tenant: str) -> int:
        """How many changes of the tenant's lines there were."""
        return sum(whose == tenant for whose, _ in self.done)


@dataclass(slots=True)
class Journey:
    """The command, given again and again. It is killed once at each of its stations, or only at those in `kills`.

    A station is called after its step, and how many changes of the tenant's lines came before it. `hold` makes a
    tenant's copy fail until it is told otherwise: a copy of a few documents is done before anybody looks.
    """

    folder: Path
    environ: Mapping[str, str]
    person: Person
    hold: Callable[[str, bool], None]
    kills: frozenset[str] | None = None
    killed: list[str] = field(default_factory=list)
    """Tenant and station of each time that it was killed."""
    present: str = ""
    """The tenant that the command is at."""

    def go(self, *words: str) -> None:
        """Until it succeeds. Raises StoryError when it ends otherwise."""
        for tenant in self.person.contract["tenants"]:
            self.hold(tenant, not any(one.startswith(f"{tenant} {COPY}") for one in self.killed))
        command = ("upgrade", "--contract", str(self.person.file), "--lock-timeout", "120", "--json", *words)
        while True:
            out = self.folder / f"upgrade-{len(self.killed)}.jsonl"
            with out.open("wb") as stream:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "orchestrator", *command],
                    cwd=self.folder,
                    env=dict(self.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                )
            try:
                is_killed = self._follow(process, out)
            finally:
                process.kill()
                process.wait()
            if is_killed:
                continue
            if process.returncode:
                tail = out.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
                raise StoryError(f"`orchestrate upgrade` ended with {process.returncode}", tail)
            return

    def _follow(self, process: subprocess.Popen[bytes], out: Path) -> bool:
        """True: it was killed at a station."""
        for event in _events(process, out):
            what, step = event.get("event"), str(event.get("step"))
            if event.get("code") == "upgrade-station":
                self.present = str(event["subject"])
            if what == "step-waiting":
                self.person.hears(self.present, str(event.get("detail")))
            station = f"{step}/{self.person.phase(self.present)}"
            if what == "step-started" and step in STATIONS and self._is_due(station):
                self.killed.append(f"{self.present} {station}")
                process.kill()
                if step == COPY:
                    self.hold(self.present, False)
                return True
        return False

    def _is_due(self, station: str) -> bool:
        wanted = self.kills is None or station in self.kills
        return wanted and f"{self.present} {station}" not in self.killed


def _events(process: subprocess.Popen[bytes], out: Path) -> Iterator[Mapping[str, Any]]:
    """What it says, as it comes, until it has ended and all is read."""
    with out.open("rb") as stream:
        part = b""
        while True:
            ended = process.poll() is not None
            chunk = stream.read()
            *lines, part = (part + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    yield json.loads(line)
            if ended and not chunk:
                return
            if not chunk:
                eventually(partial(_has_more, process, out, stream.tell()), PATIENCE)


def _has_more(process: subprocess.Popen[bytes], out: Path, read: int) -> bool:
    return out.stat().st_size > read or process.poll() is not None


def contents(customers: Customers) -> Contents:
    """Of everything that customers wrote; documents from OpenSearch, where the contract names one."""
    found = {"files": customers.files()}
    for tenant in customers.contract["tenants"]:
        found[f"documents/{tenant}"] = digest(sorted(_documents(customers, tenant)))
        found[f"rows/{tenant}"] = digest(sorted(_rows(customers, tenant)))
    return found


def _rows(customers: Customers, tenant: str) -> Iterator[str]:
    with customers.session(tenant) as session:
        for table in _TABLES:
            query = f"SELECT t::text FROM {table} t ORDER BY 1"  # noqa: S608 - a constant
            yield from (f"{table} {row[0]}" for row in session.execute(query.encode()).fetchall())


def _documents(customers: Customers, tenant: str) -> Iterator[str]:
    """Id, chunk and content: what is the same in either index."""
    documents = documents_of(customers.contract, tenant)
    for line in documents.found(customers.shell(tenant, documents.read())):
        known = json.loads(line)["fields"]
        chunk = known["chunk_index"] if "chunk_index" in known else known["chunk_id"]
        yield json.dumps([known["document_id"], chunk, known["content"]])


def tell(speed: float = SPEED) -> Outcome:
    """Go the whole way; how it ended."""
    return compared.tell("upgrade", speed, _story)


def _story(stage: Stage) -> list[str]:
    """What differs at the end; empty: nothing."""
    stage.chapter("Start a local cloud, with a stack of two tenants that run Onyx 2")
    stage.up(os.environ)
    file = stage.folder / "contract.json"
    made = world.build(api.session(stage.environ), endpoint=stage.environ["AWS_ENDPOINT_URL"], tenants=TENANTS)
    file.write_text(json.dumps(made, indent=2), encoding="utf-8")
    rds = api.client(stage.environ, "rds")
    eventually(
        lambda: {one["DBInstanceStatus"] for one in rds.describe_db_instances()["DBInstances"]} == {"available"},
        PATIENCE,
    )
    stage.orchestrate("run", "--contract", str(file), show=nothing)
    person = Person(stage.environ, file)
    for tenant in TENANTS:
        Customers(stage.environ, person.contract).write(tenant, 0, WRITTEN)
    before = contents(Customers(stage.environ, person.contract))
    compared.show(stage, before)

    stage.chapter("orchestrate upgrade: killed at each station, and given again")
    journey = Journey(stage.folder, stage.environ, person, partial(_hold, stage))
    journey.go()
    for station in journey.killed:
        stage.say(f"killed at {station.rpartition('/')[0]}")

    stage.chapter("orchestrate upgrade --finish: Vespa is given up")
    journey.go("--finish")
    after = contents(Customers(stage.environ, person.contract))
    compared.show(stage, after)
    return compared.differences(before, after)


def _hold(stage: Stage, tenant: str, held: bool) -> None:
    client.ask(client.require(stage.cloud), "faults", "POST" if held else "DELETE", name=FAILING, tenant=tenant)


if __name__ == "__main__":
    sys.exit(tell(float(sys.argv[1]) if len(sys.argv) > 1 else SPEED).status)
