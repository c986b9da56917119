"""Bringing a stack back from a backup: where the backup is, whether it fits, and the steps after Terraform."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.app.backups import Backups
from orchestrator.aws.access import Access
from orchestrator.aws.buckets import Buckets, closed
from orchestrator.aws.db_clusters import ClusterSnapshots
from orchestrator.aws.session import Aws
from orchestrator.aws.snapshots import DbSnapshots
from orchestrator.aws.volumes import Volumes
from orchestrator.consequences import Consequence
from orchestrator.engine.clock import Clock
from orchestrator.engine.runner import Around, Report
from orchestrator.errors import Invalid, OrchestratorError, Problem, Refused
from orchestrator.events import Emit
from orchestrator.lifecycle import restore
from orchestrator.lifecycle.manifest import Manifest, parse
from orchestrator.lifecycle.restore import marker
from orchestrator.lifecycle.restore.losses import look as look_at
from orchestrator.lifecycle.restore.losses import losses
from orchestrator.lifecycle.restore.marker import Marker
from orchestrator.lifecycle.restore.method import DATABASE, INDEXES, RestoreMethod, way_of
from orchestrator.lifecycle.restore.target import RestoreTarget, TenantTarget
from orchestrator.lifecycle.vault import Vault
from orchestrator.lifecycle.verify import judge, look
from orchestrator.settings import Settings
from orchestrator.stack.blueprint import of_plan
from orchestrator.stack.blueprint.changes import planned_contract
from orchestrator.stack.blueprint.references import readers
from orchestrator.stack.contract import Stack
from orchestrator.stack.inference.owned import ending_by

REGION = "us-east-1"
"""Where S3 is asked for a bucket whose region isn't known yet: it redirects to the right one."""


class Restoration:
    """One backup, to be restored to the stack of one Terraform directory."""

    def __init__(
        self,
        place: str,
        settings: Settings,
        environment: Mapping[str, str],
        clock: Clock,
        access: Access | None = None,
    ) -> None:
        self._access = access or Access(environment, settings["profile"], role=settings["role"])
        self._clock = clock
        self.way = RestoreMethod()
        self.manifest, owner = self._found(place, environment)
        self.aws = Aws(self.manifest.region, self._access)
        self.buckets = Buckets(self.aws.client("s3"), self.manifest.region, owner)
        self.vault = Vault(self.buckets, self.manifest.bucket)

    def _found(self, place: str, environment: Mapping[str, str]) -> tuple[Manifest, str]:
        """The manifest as it stands in the bucket, and our account; a file of it must say the same.

        What a manifest says decides what is made and copied, so it is read from our own account's bucket alone.
        """
        copy = None if place.startswith("s3://") else _file(Path(place))
        region = (
            copy.region if copy else environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or REGION
        )
        bucket, backup_id = (copy.bucket, copy.id) if copy else _parts(place)
        aws = Aws(region, self._access)
        owner = aws.account()
        vault = Vault(Buckets(aws.client("s3"), region, owner), bucket)
        try:
            manifest = vault.get(backup_id)
        except OrchestratorError as error:
            if error.problems[0].code == "access-denied":
                raise Refused(closed(bucket)) from None
            raise
        if copy and copy.checksum != manifest.checksum:
            fix = f"name it by its location: {manifest.place}"
            message = "this copy differs from the one in the backup's bucket"
            raise Invalid(Problem("manifest-differs", message, place, fix))
        if manifest.bucket != bucket:
            message = f"the manifest says that it is in {manifest.bucket}"
            raise Refused(Problem("manifest-elsewhere", message, place, f"name it by its location: {manifest.place}"))
        return manifest, owner

    def defects(self) -> tuple[Problem, ...]:
        """What is wrong with the backup now."""
        taken = self.manifest.database
        of = ClusterSnapshots if taken and ":cluster-snapshot:" in taken.arn else DbSnapshots
        snapshots, volumes = of(self.aws.client("rds")), Volumes(self.aws.client("ec2"))
        return judge(self.manifest, look(self.manifest, snapshots, volumes, self.buckets))

    def choose(self, declares: Callable[[str], bool]) -> RestoreMethod:
        """By what the root module declares, how the data get into the stack. Raises `Refused` where there is no way."""
        found = way_of(self.manifest, declares)
        if isinstance(found, Problem):
            raise Refused(found)
        self.way = found
        return found

    def progress(self, stack: str) -> Marker | None:
        """How far an earlier restore of this backup to this stack has come."""
        return marker.read(self.vault, self.manifest, stack)

    def note(self, stack: str, state: str, lost: Collection[str] = ()) -> None:
        """From now on it has come this far; `lost` are the losses that were named for it."""
        at = self._clock.now().isoformat(timespec="seconds")
        marker.write(self.vault, self.manifest, Marker(stack, state, at, tuple(sorted(lost))))

    def losses(self, keeping: Backups, emit: Emit) -> tuple[Consequence, ...]:
        """What the stack that lives would lose, in figures."""
        return losses(self.manifest, keeping.stack, look_at(keeping.tools(self.manifest, emit)), self.way)

    def clear_the_way(self, keeping: Backups, plan: Mapping[str, Any], emit: Emit, around: Around) -> Report:
        """Nothing runs, and the database server may be replaced if the plan does so: only behind the gate."""
        steps = restore.BEFORE[:1] if self.way.loads else restore.BEFORE
        tools = replace(keeping.tools(self.manifest, emit), stack=keeping.stack.losing(ending_by(plan)))
        return keeping.run(steps, tools, emit, around)

    def return_data(self, keeping: Backups, allowed: Collection[str], emit: Emit, around: Around) -> Report:
        """Files, keys, passwords; the proof, while nothing runs; and how many tasks a resume is to bring back.

        Losses are those that were named when it began, and those of `allowed` that are bound to no plan.
        """
        if self.way.loads:
            keeping.forget_lent()
        name, before = keeping.stack.stack, self.progress(keeping.stack.stack)
        tools = replace(
            keeping.tools(self.manifest, emit),
            lost=frozenset((*(before.lost if before else ()), *(one for one in allowed if "@" not in one))),
            indexes=self.way.indexes,
            since=marker.written(self.vault, self.manifest, name),
        )
        return keeping.run(restore.LOADED if self.way.loads else restore.DATA, tools, emit, around)


def born_of_snapshots(plan: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Addresses of what there is and has to be made anew to hold a backup's data; None: the configuration can't."""
    found = readers(of_plan(plan), frozenset({DATABASE, *INDEXES.values()}))
    return tuple(one.address for one in found if not one.new) if found else None


def _file(path: Path) -> Manifest:
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        fix = "name a manifest file or its location (s3://BUCKET/ID/manifest.json)"
        raise Invalid(Problem("manifest-unreadable", str(error), str(path), fix)) from None


def _parts(place: str) -> tuple[str, str]:
    bucket, _, key = place.removeprefix("s3://").partition("/")
    backup_id = key.partition("/")[0]
    if not bucket or not backup_id:
        fix = "write it as s3://BUCKET/ID/manifest.json, as `orchestrate backup --list` does"
        raise Invalid(Problem("manifest-place-invalid", f"{place!r} is not a backup", "MANIFEST", fix))
    return bucket, backup_id


def target_of(plan: Mapping[str, Any], present: Stack | None, assumed: Stack | None = None) -> RestoreTarget:
    """What the plan says of the stack, else what there is, else what is `assumed` until Terraform has made it.

    Raises `Invalid` for a configuration without a contract.
    """
    present = present or assumed
    said = planned_contract(plan) or (present.model_dump(by_alias=True) if present else {})
    if not said.get("stack"):
        fix = "restore with this project's terraform/, or one that has its `orchestrator` output"
        raise Invalid(Problem("no-contract-output", "the plan doesn't say which stack it creates", "plan", fix))
    tenants = {
        name: TenantTarget(str(one.get("hostname", "")), str(one.get("database", "")))
        for name, one in (said.get("tenants") or {}).items()
    }
    return RestoreTarget(str(said["stack"]), str(said.get("account_id", "")), str(said.get("region", "")), tenants)
