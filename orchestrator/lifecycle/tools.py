"""What the steps of backup, destroy and restore work with, and what one run remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.buckets import Buckets
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.keys import Keys
from orchestrator.aws.protection import Protection
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.snapshots import Snapshots
from orchestrator.aws.ssm import Ssm
from orchestrator.aws.volumes import Volumes
from orchestrator.database.inventory import DatabaseInventory
from orchestrator.database.model import WantedDatabase, wanted_of
from orchestrator.database.ownership import OwnershipRules as DatabaseRules
from orchestrator.database.server import Server
from orchestrator.database.ssm import SsmServer
from orchestrator.index.report import Contents
from orchestrator.lifecycle.manifest import DumpPart, Manifest
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.lifecycle.pause_tags import Stamp
from orchestrator.lifecycle.resume.instances_started import CapacityRefusal
from orchestrator.lifecycle.vault import Vault, tags_of
from orchestrator.rollout.memory import RunMemory
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import KINDS
from orchestrator.stack.ownership import PartKind

Say = Callable[[str, str], None]
"""A step's id and how far it is: for what takes long inside one change."""


@dataclass
class ReadSoFar:
    """What this run has read and later steps need; the next run reads it anew."""

    inventories: dict[str, DatabaseInventory] = field(default_factory=dict)
    contents: dict[str, Contents] = field(default_factory=dict)
    """By the index's word."""
    dumps: dict[str, DumpPart] = field(default_factory=dict)
    index_states: dict[str, bool] = field(default_factory=dict)
    """By its word: whether an index ran, where that was seen after its snapshot began and is as it shall be."""


@dataclass(frozen=True)
class Tools:
    """Adapters, the stack, and the backup that this is about (as it was when the run began)."""

    stack: Stack
    manifest: Manifest
    vault: Vault
    buckets: Buckets
    rds: DbServers
    snapshots: Snapshots
    volumes: Volumes
    ec2: Ec2
    ssm: Ssm
    ecs: Ecs
    counts: ServiceCounts
    autoscaling: Autoscaling
    stamp: Stamp
    """Since when and by whom services are at 0."""
    keys: Keys
    database: Server
    dumper: SsmServer
    learn: Callable[[Iterable[str]], None]
    """Hides secrets wherever they turn up."""
    records: Callable[[], Mapping[str, str]]
    """Hostname → what its record says."""
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    say: Say
    protection: Protection
    other_users: OtherUsers
    lost: frozenset[str] = frozenset()
    """Losses that were named, as `--allow-loss` takes them."""
    since: float = 0.0
    """When the restore began to copy, by S3's clock (seconds since the epoch)."""
    indexes: frozenset[str] = frozenset(KINDS)
    """The kinds of index that come back from their snapshots."""
    needs_runner: bool = True
    memory: ReadSoFar = field(default_factory=ReadSoFar)
    databases_made: set[str] = field(default_factory=set)
    rollout_memory: RunMemory = field(default_factory=RunMemory)
    adopted: frozenset[str] = frozenset()
    """Databases that somebody gave us."""
    refusals: dict[str, CapacityRefusal] = field(default_factory=dict)
    """Instances that AWS had no room for, in this run."""
    starts: dict[str, datetime] = field(default_factory=dict)
    """Instances that this run told to start, and when."""

    @property
    def wanted(self) -> tuple[WantedDatabase, ...]:
        """The tenants' databases."""
        return wanted_of(self.stack)

    def goes(self, secret_or_key: str) -> bool:
        """Whether the stack's state manages this secret or this key of KMS: then a destroy takes it away."""
        known = self.stack.ownership
        return known.manages(PartKind.SECRET, secret_or_key) or known.manages(PartKind.KEY, secret_or_key)

    @property
    def database_rules(self) -> DatabaseRules:
        """A restore brings the data along: an empty database may be made, whatever lies beside it."""
        return DatabaseRules(self.adopted, frozenset(one.database for one in self.wanted))

    @property
    def tags(self) -> Mapping[str, str]:
        """On everything the backup makes."""
        return tags_of(self.manifest)
