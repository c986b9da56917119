"""Whether what is in a stack is still what is in its backup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from orchestrator.aws.clusters import by_cluster
from orchestrator.aws.rds import ELSEWHERE
from orchestrator.aws.rds_statuses import USABLE
from orchestrator.aws.service_counts import Count
from orchestrator.database.inventory import DatabaseInventory, inventories
from orchestrator.errors import OrchestratorError
from orchestrator.lifecycle.gate import Drift, KnownBackup
from orchestrator.lifecycle.manifest import Manifest, TablePart
from orchestrator.lifecycle.pause_tags import TAG, PausedService
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import gap, relative
from orchestrator.lifecycle.verify import judge, look


def undisturbed(counts: Iterable[Count], begun: datetime) -> bool:
    """Whether no service has run since it was stopped for a backup that began then, by the tags on them. Pure.

    One that a person paused before it had nothing to be stopped; one paused later had been started meanwhile.
    """
    return all(
        count.desired == 0 and _stopped_for_it(PausedService.parse(count.tags.get(TAG, "")), begun) for count in counts
    )


def has_run(counts: Iterable[Count], since: datetime) -> bool:
    """Whether a service runs, or was stopped later than that, by the tags on them. Pure."""
    known = ((count.desired, PausedService.parse(count.tags.get(TAG, ""))) for count in counts)
    return any(desired > 0 or (memory is not None and memory.stamp.at > since) for desired, memory in known)


def _stopped_for_it(known: PausedService | None, begun: datetime) -> bool:
    return known is not None and (known.stamp.for_backup or known.stamp.at < begun)


def kept(manifest: Manifest, tools: Tools) -> KnownBackup:
    """All that the gate wants to know of it, observed now."""
    return KnownBackup(
        stack=manifest.stack,
        complete=manifest.complete,
        quiet=manifest.quiet,
        defects=judge(manifest, look(manifest, tools.snapshots, tools.volumes, tools.buckets)),
        running=_running(tools),
        database=_database(manifest, tools),
        files=_files(manifest, tools),
    )


def _running(tools: Tools) -> bool:
    names = by_cluster((one.name for one in tools.stack.services.values()), tools.stack.cluster)
    return any(_any_runs(tools, list(called.values())) for called in names.values())


def _any_runs(tools: Tools, names: Sequence[str]) -> bool:
    """Of the services of one cluster: where it is gone, none."""
    try:
        services = tools.ecs.services(names).values()
    except OrchestratorError as error:
        if error.problems[0].code == "cluster-missing":
            return False
        raise
    return any(one.desired or one.running or one.pending for one in services)


def _database(manifest: Manifest, tools: Tools) -> Drift:
    """Every row again. Where the runner has gone already, a destroy has begun that had passed here with it."""
    server = tools.rds.server(tools.stack.database.server)
    if server.kind != ELSEWHERE and server.status not in USABLE:
        return Drift.UNKNOWN if server.status else Drift.GONE
    runner = tools.ec2.state(tools.stack.runner.instance_id) if tools.stack.runner else ""
    if tools.needs_runner and runner not in ("running", "pending"):
        return Drift.GONE if runner in ("", "terminated", "shutting-down") else Drift.UNKNOWN
    found = inventories(tools.database, tools.wanted)
    tools.memory.inventories.update(found)
    return Drift.SAME if tables_of(manifest) == {name: as_parts(one) for name, one in found.items()} else Drift.CHANGED


def tables_of(manifest: Manifest) -> Mapping[str, Mapping[str, TablePart]]:
    """Tenant → table → figures, as backed up."""
    return {name: tenant.tables for name, tenant in manifest.tenants.items()}


def as_parts(found: DatabaseInventory) -> dict[str, TablePart]:
    """The same form as the manifest's."""
    return {name: TablePart(rows=table.rows, digest=table.digest) for name, table in found.tables.items()}


def _files(manifest: Manifest, tools: Tools) -> Drift:
    """Deleted objects are in the backup; only what is not in it counts."""
    bucket = tools.stack.bucket
    if not bucket or manifest.files is None or not tools.buckets.state(bucket).there:
        return Drift.GONE
    source = relative(tools.buckets.objects(bucket), "")
    backed_up = relative(tools.buckets.objects(manifest.bucket, manifest.prefix), manifest.prefix)
    return Drift.CHANGED if gap(source, backed_up).missing else Drift.SAME
