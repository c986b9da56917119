"""What an upgrade looks at, and the stations that are only watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from orchestrator.app.backups import Backups
from orchestrator.app.context import Context
from orchestrator.app.operation import Operation, Selection
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import Subject
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.upgrade.copied import Sight
from orchestrator.lifecycle.upgrade.path import KeptBackup, TenantVersion
from orchestrator.lifecycle.upgrade.seen import VersionReader, revisions_in, with_data
from orchestrator.stack.contract import Stack


@dataclass(frozen=True, kw_only=True)
class UpgradeContext(Context):
    """What the steps see beside the workflow's. `first_sights` is the command's memory."""

    look: Callable[[], Mapping[Subject, TenantVersion]]
    next_version: str
    first_sights: dict[Subject, Sight] = field(default_factory=dict)


class Upgrading(Operation):
    """One tenant on its way: what is seen of it, and steps that wait for what others do."""

    def __init__(
        self,
        *given: Any,
        tenant: Subject,
        contract: Callable[[], Stack],
        steps: tuple[AnyStep, ...] = (),
        version: str = "",
        **more: Any,
    ) -> None:
        """`contract` reads it anew; `version` is the one that is waited for."""
        self._tenant, self._contract, self._watched, self._version = tenant, contract, steps, version
        super().__init__(*given, **more)

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        return self._watched

    def _widened(self, context: Context) -> UpgradeContext:
        known = {one.name: getattr(context, one.name) for one in fields(context)}
        return UpgradeContext(**known, look=self._look, next_version=self._version)

    def _look(self) -> Mapping[Subject, TenantVersion]:
        return {self._tenant: self._reader(stack := self._contract()).of(stack, self._tenant)}

    def _reader(self, stack: Stack) -> VersionReader:
        client = self.aws.client("ecs")
        return VersionReader(Ecs(client, stack.cluster), ClusterServices(client, stack.cluster))

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)

    def version(self) -> TenantVersion:
        """What its services run, and what is registered; neither its database nor its indexes are asked."""
        return self._reader(self.stack).of(self.stack, self._tenant)

    def seen(self) -> TenantVersion:
        """All that decides what is next for it."""
        context, found = self._context, self.version()
        return with_data(context, self._tenant, found) if isinstance(context, UpgradeContext) else found


def complete_backups(keeping: Backups) -> tuple[KeptBackup, ...]:
    """All complete ones, the newest first; whether they are good was not looked at."""
    return tuple(_kept(one) for one in keeping.manifests() if one.complete)


def _kept(manifest: Manifest) -> KeptBackup:
    settings = {tenant: part.settings for tenant, part in manifest.tenants.items()}
    return KeptBackup(manifest.id, datetime.fromisoformat(manifest.begun), revisions_in(settings), manifest.place)
