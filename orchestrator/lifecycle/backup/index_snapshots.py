"""`index-snapshots` and its like, one a kind of index: a snapshot of each index volume, its container being stopped.

For each: its documents are counted, the container is stopped, the snapshot begins (it is of that moment), the container
starts again, unless the stack is about to be destroyed. Wherever a run ends, the next one sees from snapshot and
container how far it had come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.volumes import DataVolume, VolumeSnapshot
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import Attempts, attempt, each
from orchestrator.errors import Problem
from orchestrator.index import PROVIDERS, AnyIndex
from orchestrator.index.provider import AT_ONCE
from orchestrator.index.report import Contents
from orchestrator.lifecycle.instance_owners import foreign, not_ours
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.vault import TENANT_TAG
from orchestrator.stack.indexes import VESPA, IndexServer, word
from orchestrator.stack.ownership import PartKind

DOCUMENTS_TAG, DIGEST_TAG, DEVICE_TAG = "orchestrate:documents", "orchestrate:digest", "orchestrate:device"
INDEX_TAG = "orchestrate:index"
"""On a volume, whatever its value: of several on one instance, this one holds the index."""
KIND_TAG = "orchestrate:index-kind"
"""On a snapshot: of which kind of index it is; without it: Vespa's, the only kind there was."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """One tenant's index. `running` None: its agent doesn't answer. `contents` None: not counted by this run.

    `foreign`: why the instance isn't the stack's own; empty: it is. `others` are data volumes without the index;
    without a `volume`, any of them may.
    """

    instance: str
    volume: DataVolume | None = None
    snapshot: VolumeSnapshot | None = None
    running: bool | None = None
    contents: Contents | None = None
    foreign: str = ""
    others: tuple[str, ...] = ()
    unread: Unread | None = None
    """Why the instance, which is online, could not be asked."""


@dataclass(frozen=True, slots=True)
class IndexSnapshotsFacts:
    """All indexes, and whether their containers are to stay stopped."""

    stays_stopped: bool
    indexes: Mapping[str, IndexState] = field(default_factory=dict)


def chosen(volumes: Sequence[DataVolume], said: str) -> DataVolume | None:
    """The one that holds the index: the only one, the one that is tagged so, the one that was said. Pure; no guess."""
    tagged = [one for one in volumes if INDEX_TAG in one.tags]
    for mine in (volumes, tagged, [one for one in volumes if one.id == said]):
        if len(mine) == 1:
            return mine[0]
    return None


def decide(facts: IndexSnapshotsFacts) -> Verdicts:
    """Per tenant."""
    return {name: _verdict(one, stays_stopped=facts.stays_stopped) for name, one in facts.indexes.items()}


def _verdict(one: IndexState, *, stays_stopped: bool) -> Verdict:
    if one.foreign:
        return Done(f"{one.instance} is left as it is, and its index is not backed up: {one.foreign}")
    if one.unread is not None:
        return one.unread.verdict
    if one.volume is None and one.others:
        message = f"it is not known which of {', '.join(one.others)} holds the index"
        fix = f"tag that volume: aws ec2 create-tags --resources VOLUME --tags Key={INDEX_TAG},Value=yes"
        return Blocked(Problem("index-volume-ambiguous", message, one.instance, fix))
    if one.volume is None:
        return Done(f"not on a volume of its own ({one.instance}): it must be indexed again after a restore")
    if one.running is None:
        fix = "check the instance, its role (AmazonSSMManagedInstanceCore) and its route to SSM"
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


def _before(one: IndexState) -> Verdict:
    if one.contents is None:
        return Todo("count the documents", "count") if one.running else Todo("start the container", "start to count")
    if one.running:
        return Todo("stop the container", "stop")
    return Todo("take the snapshot", "take")


def kind_of(snapshot: VolumeSnapshot) -> str:
    """Of which kind of index it is."""
    return snapshot.tags.get(KIND_TAG, VESPA)


@dataclass(frozen=True, slots=True)
class IndexSnapshots:
    """The step of one kind of index."""

    index: AnyIndex

    def observe(self, tools: Tools) -> IndexSnapshotsFacts:
        """Volumes and snapshots in three calls; a command on each instance whose container is not where it shall be."""
        mine = self.index.of(tools.stack)
        if not mine:
            return IndexSnapshotsFacts(stays_stopped=True)
        others = foreign(tools.stack, sorted({one.instance_id for one in mine.values()}), tools.ec2.tags)
        volumes = tools.volumes.of_instances([one.instance_id for one in mine.values()])
        said = attempt(mine, lambda name: self.where(tools, mine[name], volumes), at_once=AT_ONCE)
        told = {it: chosen(volumes.get(one.instance_id, ()), said.results.get(it, "")) for it, one in mine.items()}
        taken = {it.tags.get(TENANT_TAG, ""): it for it in tools.volumes.snapshots(tools.tags) if self._is_of(it)}
        pings = tools.ssm.pings([one.instance_id for one in mine.values()])
        online = [name for name, one in mine.items() if one.instance_id in pings and pings[one.instance_id].online]
        stays_stopped = tools.manifest.purpose == "destroy"
        states = self.states(tools, online, taken.keys(), stays_stopped=stays_stopped)
        unread = Unread.each({**said.failures, **states.failures})
        found = {
            name: IndexState(
                instance=one.instance_id,
                volume=told[name],
                others=tuple(it.id for it in volumes.get(one.instance_id, ()) if it != told[name]),
                snapshot=taken.get(name),
                running=states.results.get(name),
                contents=tools.memory.contents.get(self._word(name)),
                foreign=others.get(one.instance_id, ""),
                unread=unread.get(name),
            )
            for name, one in mine.items()
        }
        return IndexSnapshotsFacts(stays_stopped, found)

    def _word(self, tenant: str) -> str:
        return word(self.index.name, tenant)

    def _is_of(self, snapshot: VolumeSnapshot) -> bool:
        return kind_of(snapshot) == self.index.name

    def states(
        self, tools: Tools, online: Sequence[str], taken: Collection[str], *, stays_stopped: bool
    ) -> Attempts[bool | None]:
        """Whether each container runs: a command on its instance, unless that is told since its snapshot began.

        While snapshots are taken nothing more is asked: of many tenants, a look would cost more than the snapshots.
        """
        mine, memory = self.index.of(tools.stack), tools.memory.index_states
        told = {name: memory[self._word(name)] for name in mine if self._word(name) in memory}
        asked = [name for name in online if name not in told]
        seen = attempt(asked, lambda name: self.index.running(tools.ssm, mine[name]), at_once=AT_ONCE)
        lasting = {name: on for name, on in seen.results.items() if name in taken and (on or stays_stopped)}
        memory |= {self._word(name): on for name, on in lasting.items()}
        return Attempts({**told, **seen.results}, seen.failures)

    def where(self, tools: Tools, one: IndexServer, volumes: Mapping[str, Sequence[DataVolume]]) -> str:
        """The volume that the instance itself says the index is on; empty: it has one at most, or doesn't say."""
        mine = volumes.get(one.instance_id, ())
        several = len(mine) > 1 and not any(INDEX_TAG in it.tags for it in mine)
        return self.index.volume(tools.ssm, one) if several else ""

    def apply(self, tools: Tools, todos: Mapping[Subject, Todo]) -> None:
        """All tenants at the same time, one change for each."""
        mine = self.index.of(tools.stack)

        def change(name: str) -> None:
            what = todos[name].payload
            if what == "count":
                tools.memory.contents[self._word(name)] = self.index.contents(tools.ssm, mine[name])
            elif what == "stop":
                self.index.stop(tools.ssm, mine[name])
            elif what == "take":
                self._take(tools, name, mine[name])
            else:
                self.index.start(tools.ssm, mine[name])

        each(todos, change, at_once=AT_ONCE)

    def _take(self, tools: Tools, name: str, one: IndexServer) -> None:
        seen = tools.memory.contents[self._word(name)]
        volumes = tools.volumes.of_instances([one.instance_id])
        volume = chosen(volumes.get(one.instance_id, ()), self.where(tools, one, volumes))
        if volume is None:  # attached otherwise since it was looked at
            return
        counted = {DOCUMENTS_TAG: str(seen.documents), DIGEST_TAG: seen.digest, DEVICE_TAG: volume.device}
        kind = {} if self.index.name == VESPA else {KIND_TAG: self.index.name}
        tags = {**tools.tags, TENANT_TAG: name, **counted, **kind}
        tools.volumes.take(volume.id, f"{tools.stack.stack}: index of {name}", tags)

    def findings(self, facts: IndexSnapshotsFacts) -> Iterable[Problem]:
        """Indexes that no snapshot can hold."""
        for name, one in facts.indexes.items():
            if one.foreign:
                yield not_ours(PartKind.INSTANCE, one.instance, one.foreign)
            elif one.volume and one.others:
                message = f"{', '.join(one.others)} of {one.instance} is not backed up: the index is on {one.volume.id}"
                yield Problem(
                    "other-volumes-not-kept", message, name, "back it up yourself if it holds anything that matters"
                )
            elif one.volume is None and not one.others:
                message = f"the index of {name} is on the root disk of {one.instance}: it is not backed up"
                fix = "after a restore, have Onyx index the documents again; better, put "
                fix += f"{self.index.mounted} on a volume of its own"
                yield Problem("index-not-on-a-volume", message, name, fix)

    def step(self) -> Step[Tools, IndexSnapshotsFacts]:
        """For the engine."""
        return Step(
            id=_IDS.get(self.index.name, f"{self.index.name}-snapshots"),
            title=f"each index of {self.index.title} has a snapshot",
            observe=self.observe,
            decide=decide,
            apply=self.apply,
            needs=("backup-place", "services-at-zero"),
            timeout=3600,
            poll=10,
            findings=self.findings,
        )


_IDS = {VESPA: "index-snapshots"}
"""From when there was one kind."""
STEPS = tuple(IndexSnapshots(one).step() for one in PROVIDERS)
