"""Backups of one stack: where they are, taking one, verifying and pruning them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from secrets import token_hex

from orchestrator import redact
from orchestrator.app.context import Learn, limits_of, no_secrets
from orchestrator.app.operation import Operation
from orchestrator.app.pausing import pause_state_of
from orchestrator.app.servers import servers_of, snapshots_of
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.buckets import Buckets
from orchestrator.aws.keys import Keys
from orchestrator.aws.protection import Protection
from orchestrator.aws.service_counts import Count, ServiceCounts
from orchestrator.aws.volumes import Volumes
from orchestrator.dns import places
from orchestrator.dns.names import normal
from orchestrator.engine import runner
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Around, Report
from orchestrator.errors import Invalid, OrchestratorError, Problem
from orchestrator.events import Emit, StepWaiting
from orchestrator.lifecycle import backup, pruned
from orchestrator.lifecycle.backup.database_snapshot import DUMP, name_of
from orchestrator.lifecycle.freshness import has_run, undisturbed
from orchestrator.lifecycle.manifest import Manifest, begun, parts_of
from orchestrator.lifecycle.pause_tags import FOR_BACKUP, Stamp
from orchestrator.lifecycle.tools import ReadSoFar, Tools
from orchestrator.lifecycle.vault import Vault, bucket_of, chosen, tags_of
from orchestrator.lifecycle.verify import judge, look
from orchestrator.settings import Settings
from orchestrator.stack.ownership import word

RESUMED = timedelta(hours=12)
"""An unfinished backup older than this is not gone on with: its parts would be too far apart."""


class Backups:
    """The backups of the stack that `operation` is about."""

    def __init__(
        self,
        operation: Operation,
        settings: Settings,
        clock: SystemClock,
        learn: Learn = no_secrets,
        *,
        who: tuple[str, str],
    ) -> None:
        user, host = who
        self.operation = operation
        self._who = (f"{FOR_BACKUP}{user}", host)
        self.stack = operation.stack
        self._clock = clock
        self._learn = learn
        self._limits = limits_of(settings, operation.access)
        aws = operation.aws
        self._rds = servers_of(self.stack.database, aws)
        self.buckets = Buckets(aws.client("s3"), self.stack.region, self.stack.account_id)
        self._chosen = settings["backup-bucket"]
        self.snapshots = snapshots_of(self.stack.database, aws)
        self.volumes = Volumes(aws.client("ec2"))
        self.counts = ServiceCounts(aws.client("ecs"), self.stack.cluster)
        self.autoscaling = Autoscaling(aws.client("application-autoscaling"), self.stack.cluster)
        self.keys = Keys(
            aws.client("ecs"), aws.client("secretsmanager"), lambda value: learn([value, *redact.from_secret(value)])
        )

    @cached_property
    def vault(self) -> Vault:
        """The bucket that was named; else the account's own that is for this stack, or is to be made for it."""
        return Vault(self.buckets, self._chosen or self._found())

    def _found(self) -> str:
        stack, account = self.stack.stack, self.stack.account_id
        legacy = bucket_of(stack, account)
        try:
            known = self.buckets.named(legacy)
        except OrchestratorError as error:
            # A policy of 0.1.0 doesn't let buckets be listed: its own bucket can be had all the same.
            if error.problems[0].code == "access-denied" and self.buckets.state(legacy).there:
                return legacy
            raise
        return chosen(known, stack, account, token_hex(4))

    def manifests(self) -> Sequence[Manifest]:
        """Of this stack, the newest first."""
        return [one for one in self.vault.manifests() if one.stack == self.stack.stack]

    @cached_property
    def pause(self) -> Stamp | None:
        """Since when and by whom the whole stack is paused; None: it isn't."""
        return pause_state_of(self.stack, self.operation.aws).whole

    def begin(self, *, purpose: str, quiet: bool, dumped: bool = False) -> Manifest:
        """The unfinished backup of this kind to go on with, or a new one (not written yet).

        Of a stack that is paused as a whole all parts are of one instant anyway. Raises `Invalid` for dumps of another.
        """
        known, quiet = self.manifests(), quiet or self.pause is not None
        if dumped and not quiet:
            fix = "add --stop-services: what is restored is compared row by row, and a dump takes a while"
            raise Invalid(Problem("dump-of-running-stack", "the services are running", "--dump", fix))
        if self.shares_server and not dumped:
            message = f"{self.stack.database.server} isn't this stack's own: a snapshot would contain others' data"
            raise Invalid(Problem("backup-of-foreign-server", message, "", DUMP))
        if dumped and self.stack.runner is None:
            fix = "name an instance with pg_dump in the contract (`orchestrate init`), or leave out --dump"
            raise Invalid(Problem("dump-without-runner", "the stack has no runner to dump with", "--dump", fix))
        now = self._clock.now()
        for one in known[:1]:
            fresh = now - datetime.fromisoformat(one.begun) < RESUMED
            alike = not one.complete and (one.purpose, one.quiet, one.dumps is not None) == (purpose, quiet, dumped)
            if alike and fresh and self._still_of_one_instant(one):
                return one
        return begun(
            self.stack,
            self._desired(),
            purpose=purpose,
            quiet=quiet,
            bucket=self.vault.bucket,
            now=now,
            dumped=dumped,
            foreign=self.foreign,
        )

    @cached_property
    def foreign(self) -> Sequence[str]:
        """The parts of the contract that aren't the stack's own (`ownership.word`), as far as that is known."""
        stack, known = self.stack, self.stack.ownership
        tags = {stack.database.part[0]: self._rds.server(stack.database.server).tags}
        found = (word(*one) for one in parts_of(stack) if known.objection(*one, stack.stack, tags.get(one[0])))
        return sorted(found)

    @property
    def shares_server(self) -> bool:
        """Whether the database server isn't the stack's own, or not RDS's: dumps are taken then, no snapshot."""
        return self.stack.database.elsewhere or word(*self.stack.database.part) in self.foreign

    def _still_of_one_instant(self, unfinished: Manifest) -> bool:
        """Whether what was to come with the rest of it still can: nothing was taken yet, or nothing has run since."""
        if not unfinished.quiet:
            return True
        taken = self.snapshots.find(name_of(unfinished)).status or self.volumes.snapshots(tags_of(unfinished))
        return not taken or undisturbed(self._services(), datetime.fromisoformat(unfinished.begun))

    def has_run(self, since: datetime) -> bool:
        """Whether a service of the stack has run since."""
        try:
            return has_run(self._services(), since)
        except OrchestratorError as error:
            if error.problems[0].code == "cluster-missing":
                return False
            raise

    def _services(self) -> Collection[Count]:
        return self.counts.read([one.name for one in self.stack.services.values()]).values()

    def _desired(self) -> dict[str, int]:
        """How many tasks each tenant has, or gets back after the pause it is in."""
        seen = pause_state_of(self.stack, self.operation.aws)
        return {tenant: seen.wanted(tenant) for tenant in seen.counts}

    def take(self, manifest: Manifest, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Bring this backup to its end."""
        if manifest.dumps is not None:
            self.forget_lent()
        steps = backup.steps_of(manifest, paused=self.pause is not None)
        return self.run(steps, self.tools(manifest, emit), emit, around)

    def forget_lent(self) -> None:
        """What a run that died has lent (the URL of a dump) is deleted, before this one lends."""
        self.operation.context.lender.begin_run()

    def prune(self, keep: int, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Delete all but the newest."""
        context = pruned.BackupsPrunedContext(
            keep, self.stack.stack, self.vault, self.buckets, self.snapshots, self.volumes, self.keys
        )
        return self.run([pruned.STEP], context, emit, around)

    def run(self, steps: Sequence[AnyStep], context: object, emit: Emit, around: Around) -> Report:
        """Lifecycle steps, in the one engine."""
        return runner.run(steps, context, clock=self._clock, emit=emit, limits=self._limits, around=around)

    def defects(self, manifest: Manifest) -> tuple[Problem, ...]:
        """What is wrong with it now."""
        return judge(manifest, look(manifest, self.snapshots, self.volumes, self.buckets))

    def tools(self, manifest: Manifest, emit: Emit) -> Tools:
        """What lifecycle steps work with."""
        context = self.operation.context
        return Tools(
            stack=self.stack,
            manifest=manifest,
            vault=self.vault,
            buckets=self.buckets,
            rds=context.rds,
            snapshots=self.snapshots,
            volumes=self.volumes,
            ec2=context.ec2,
            ssm=context.ssm,
            ecs=context.ecs,
            counts=self.counts,
            autoscaling=self.autoscaling,
            stamp=Stamp.of(self._clock.now(), *self._who),
            keys=self.keys,
            database=context.database,
            dumper=context.through_runner,
            learn=self._learn,
            records=self._records,
            now=self._clock.now,
            monotonic=self._clock.monotonic,
            say=lambda step, text: emit(StepWaiting(step=step, detail=text)),
            protection=Protection(self.operation.aws.client("rds"), self.operation.aws.client("elbv2")),
            other_users=context.other_users,
            needs_runner=context.needs_runner,
            memory=ReadSoFar(),
            adopted=context.database_rules.adopted,
        )

    def _records(self) -> Mapping[str, str]:
        """What the hostnames' records say. A provider that doesn't answer is no reason to have no backup."""
        found: dict[str, str] = {}
        zone_reader = places.ZoneReader(self.operation.context.dns)
        for name, tenant in self.stack.tenants.items():
            dns = places.wanted(self.stack, name)
            if dns is None:
                continue
            try:
                records = zone_reader.records(places.ZonePlace(dns.provider, dns.zone))
            except OrchestratorError:
                continue
            if not isinstance(records, Problem):
                mine = [str(one) for one in records if normal(one.name) == normal(tenant.hostname)]
                found[tenant.hostname] = "; ".join(sorted(mine))
        return found
