"""Destroying one stack: what it means, what is asked of the backup, and what surrounds `terraform destroy`."""

from __future__ import annotations

from orchestrator.app.safekeeping import Safekeeping
from orchestrator.aws.leftovers import Leftovers
from orchestrator.aws.protection import Protection
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Around, Report
from orchestrator.events import Emit
from orchestrator.lifecycle import destroy, freshness
from orchestrator.lifecycle.destroy import stock
from orchestrator.lifecycle.destroy.context import Context
from orchestrator.lifecycle.destroy.stock import Stock
from orchestrator.lifecycle.gate import Kept, faults_of
from orchestrator.lifecycle.manifest import Manifest


class Demolition:
    """The end of the stack whose backups `keeping` has. `dumps`: Terraform can't make it again from a snapshot."""

    def __init__(self, keeping: Safekeeping, emit: Emit, *, dumps: bool = False) -> None:
        self.keeping = keeping
        self.stack = keeping.stack
        self._emit = emit
        self._dumps = dumps
        aws = keeping.operation.aws
        ec2, rds, elbv2 = aws.client("ec2"), aws.client("rds"), aws.client("elbv2")
        self._context = Context(
            self.stack,
            Protection(rds, elbv2),
            keeping.buckets,
            Leftovers(ec2, rds, elbv2, aws.client("elasticache")),
        )

    def stock(self) -> Stock:
        """How much there is to be lost or kept."""
        return stock.look(self._context, self.keeping.operation.context.database)

    def backup(self) -> tuple[Manifest, bool]:
        """The backup to rely on, and whether it is there already: of an earlier run, nothing changed since."""
        known = next((one for one in self.keeping.manifests() if one.complete), None)
        enough = known is not None and known.quiet and (known.dumps is not None or not self._dumps)
        if known and enough and not faults_of(self.stack.stack, self.kept(known)):
            return known, True
        return self.keeping.begin(purpose="destroy", quiet=True, dumped=self._dumps), False

    def kept(self, manifest: Manifest) -> Kept:
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
