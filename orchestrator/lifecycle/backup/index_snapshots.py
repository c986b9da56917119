"""`index-snapshots`: each tenant's index volume has a snapshot, taken while its container was stopped.

For each: its documents are counted, the container is stopped, the snapshot begins (it is of that moment), the container
starts again, unless the stack is about to be destroyed. Wherever a run ends, the next one sees from snapshot and
container how far it had come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.volumes import DataVolume, VolumeSnapshot
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle import index
from orchestrator.lifecycle.tools import Contents, Tools
from orchestrator.lifecycle.vault import TAG, TENANT_TAG
from orchestrator.subjects import each

DOCUMENTS_TAG, DIGEST_TAG = "orchestrate:documents", "orchestrate:digest"


@dataclass(frozen=True, slots=True)
class One:
    """One tenant's index. `running` None: its agent doesn't answer. `contents` None: not counted by this run."""

    instance: str
    volume: DataVolume | None = None
    snapshot: VolumeSnapshot | None = None
    running: bool | None = None
    contents: Contents | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All indexes, and whether their containers are to stay stopped."""

    stays_stopped: bool
    indexes: Mapping[str, One] = field(default_factory=dict)


def observe(tools: Tools) -> Facts:
    """Volumes and snapshots in three calls; a command on each instance."""
    vespas = tools.stack.vespa
    if not vespas:
        return Facts(stays_stopped=True)
    volumes = tools.volumes.of_instances([one.instance_id for one in vespas.values()])
    taken = {one.tags.get(TENANT_TAG, ""): one for one in tools.volumes.snapshots(TAG, tools.manifest.id)}
    pings = tools.ssm.pings([one.instance_id for one in vespas.values()])
    online = [name for name, one in vespas.items() if one.instance_id in pings and pings[one.instance_id].online]
    states = index.for_all(online, lambda name: index.running(tools.ssm, vespas[name]))
    found = {
        name: One(
            instance=one.instance_id,
            volume=volumes.get(one.instance_id),
            snapshot=taken.get(name),
            running=states.get(name),
            contents=tools.memory.contents.get(name),
        )
        for name, one in vespas.items()
    }
    return Facts(tools.manifest.purpose == "destroy", found)


def decide(facts: Facts) -> Verdicts:
    """Per tenant."""
    return {name: _verdict(one, stays_stopped=facts.stays_stopped) for name, one in facts.indexes.items()}


def _verdict(one: One, *, stays_stopped: bool) -> Verdict:
    if one.volume is None:
        return Done(f"not on a volume of its own ({one.instance}): to be indexed again after a restore")
    if one.running is None:
        fix = "check the instance, its role (AmazonSSMManagedInstanceCore) and its way out to SSM"
        return Wait(f"the SSM agent of {one.instance} doesn't answer", "index-instance-offline", fix)
    if one.snapshot is None:
        return _before(one)
    if one.snapshot.status == "error":
        fix = f"aws ec2 delete-snapshot --snapshot-id {one.snapshot.id}, then run the command again"
        return Blocked(Problem("index-snapshot-failed", f"{one.snapshot.id} has failed", one.instance, fix))
    if not one.running and not stays_stopped:
        return Todo("start the container again", "start")
    if one.snapshot.status != "completed":
        text = f"{one.snapshot.id} is being taken ({one.snapshot.progress})"
        return Wait(text, "index-snapshot-not-completed", "wait; run the command again", progress=one.snapshot.progress)
    return Done(f"{one.snapshot.id}: {one.snapshot.size} GiB of {one.snapshot.volume}")


def _before(one: One) -> Verdict:
    if one.contents is None:
        return Todo("count the documents", "count") if one.running else Todo("start the container", "start to count")
    if one.running:
        return Todo("stop the container", "stop")
    return Todo("take the snapshot", "take")


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """All tenants at the same time, one change for each."""

    def change(name: str) -> None:
        vespa, what = tools.stack.vespa[name], todos[name].payload
        if what == "count":
            tools.memory.contents[name] = index.contents(tools.ssm, vespa)
        elif what == "stop":
            index.stop(tools.ssm, vespa)
        elif what == "take":
            _take(tools, name)
        else:
            index.start(tools.ssm, vespa)

    each(todos, change, at_once=index.AT_ONCE)


def _take(tools: Tools, name: str) -> None:
    instance, seen = tools.stack.vespa[name].instance_id, tools.memory.contents[name]
    volume = tools.volumes.of_instances([instance])[instance]
    counted = {DOCUMENTS_TAG: str(seen.documents), DIGEST_TAG: seen.digest}
    tools.volumes.take(volume.id, f"{tools.stack.stack}: index of {name}", {**tools.tags, TENANT_TAG: name, **counted})


def findings(facts: Facts) -> Iterable[Problem]:
    """Indexes that no snapshot can hold."""
    for name, one in facts.indexes.items():
        if one.volume is None:
            message = f"the index of {name} is on the root disk of {one.instance}: it is not backed up"
            fix = "after a restore, have Onyx index the documents again; better, put /opt/vespa on a volume of its own"
            yield Problem("index-not-on-a-volume", message, name, fix)


STEP: Step[Tools, Facts] = Step(
    id="index-snapshots",
    title="each index has a snapshot",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("backup-place", "services-at-zero"),
    timeout=3600,
    poll=10,
    findings=findings,
)
