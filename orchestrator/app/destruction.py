"""Destroying one stack: what it means, what is asked of the backup, and what surrounds `terraform destroy`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.app.backups import Backups
from orchestrator.aws.leftovers import Leftovers
from orchestrator.aws.listeners import Listeners
from orchestrator.aws.protection import Protection
from orchestrator.consequences import Consequence
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Around, Report
from orchestrator.events import Emit
from orchestrator.lifecycle import destroy, freshness
from orchestrator.lifecycle.destroy import stored_data
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.lifecycle.destroy.others import hit
from orchestrator.lifecycle.destroy.stored_data import StoredData
from orchestrator.lifecycle.gate import KnownBackup, faults_of
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.stack.inference.owned import ending_by
from orchestrator.stack.ownership import PartKind


class Destruction:
    """The end of the stack whose backups `keeping` has. `dumps`: Terraform can't make it again from a snapshot."""

    def __init__(self, keeping: Backups, emit: Emit, *, dumps: bool = False) -> None:
        self.keeping = keeping
        self.stack = keeping.stack
        self._emit = emit
        self._dumps = dumps or (keeping.shares_server and keeping.stack.runner is not None)
        aws = keeping.operation.aws
        ec2, rds, elbv2 = aws.client("ec2"), aws.client("rds"), aws.client("elbv2")
        self._context = DestroyContext(
            self.stack,
            Protection(rds, elbv2),
            keeping.buckets,
            Leftovers(ec2, rds, elbv2, aws.client("elasticache")),
        )
        self._listeners = Listeners(elbv2)

    def foreseen(self, plan: Mapping[str, Any]) -> tuple[Consequence, ...]:
        """From now on nothing is lost but what this plan destroys. Whom that hits beside the stack's tenants."""
        ending = ending_by(plan)
        self._context = replace(self._context, stack=self.stack.losing(ending))
        ways = {one.arn: self._listeners.others(one.arn, self._own_targets()) for one in self.stack.balancers}
        return tuple(hit(self.stack, ending, self.keeping.operation.context.other_users, ways))

    def _own_targets(self) -> frozenset[str]:
        known = self.stack.ownership.managed
        theirs = {tenant.target_group_arn for tenant in self.stack.tenants.values()}
        return frozenset(theirs | {name for kind, name in known if kind is PartKind.TARGETS})

    def stock(self) -> StoredData:
        """How much there is to be lost or kept."""
        return stored_data.look(self._context, self.keeping.operation.context.database)

    def backup(self) -> tuple[Manifest, bool]:
        """The backup to rely on, and whether it is there already: of an earlier run, nothing changed since."""
        known = next((one for one in self.keeping.manifests() if one.complete), None)
        enough = known is not None and known.quiet and (known.dumps is not None or not self._dumps)
        if known and enough and not faults_of(self.stack.stack, self.kept(known)):
            return known, True
        return self.keeping.begin(purpose="destroy", quiet=True, dumped=self._dumps), False

    def kept(self, manifest: Manifest) -> KnownBackup:
        """What the gate wants to know of it, observed now."""
        return freshness.kept(manifest, self.keeping.tools(manifest, self._emit))

    def clear_the_way(self, around: Around) -> Report:
        """Deletion protection off, the bucket empty: only behind the gate."""
        return self._run(destroy.BEFORE, around)

    def look_back(self, around: Around) -> Report:
        """Nothing billable is left."""
        return self._run(destroy.AFTER, around)

    def _run(self, steps: tuple[AnyStep, ...], around: Around) -> Report:
        return self.keeping.run(steps, self._context, self._emit, around)
