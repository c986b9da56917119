"""What is seen of tenants on their way to another version: what runs, what is registered, how far data have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.aws.ecs import Ecs
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.database.model import wanted_of
from orchestrator.database.schema import schemas
from orchestrator.engine.step import Subject
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.index import PROVIDERS
from orchestrator.lifecycle.schema_migrated import family_of
from orchestrator.lifecycle.upgrade.copied import CopyContext, is_copied
from orchestrator.lifecycle.upgrade.copied import observe as copies
from orchestrator.lifecycle.upgrade.path import COPIES, RegisteredVersion, TenantVersion, number
from orchestrator.rollout.progress import steady
from orchestrator.stack.contract import Stack

LITE = "DISABLE_VECTOR_DB"


@dataclass(frozen=True, slots=True)
class VersionReader:
    """Services and their task definitions, of one moment: what it has read once it does not read again."""

    ecs: Ecs
    definitions: ClusterServices

    def of(self, stack: Stack, tenant: Subject) -> TenantVersion:
        """What runs of the tenant, and what is registered. Raises where one of its services is not there."""
        services = {one.subject: one.name for one in stack.tenants[tenant].services(tenant)}
        found = self.ecs.services(list(services.values()))
        present: dict[Subject, TaskDefinition] = {}
        newest: dict[Subject, TaskDefinition] = {}
        begun: dict[Subject, datetime] = {}
        for subject, name in services.items():
            service = found.get(name)
            primary = service.primary if service else None
            if primary is None:
                fix = "check `cluster`, `region` and the tenant's services in the contract; orchestrate doctor"
                raise OrchestratorError(Problem("service-missing", f"there is no service {name}", subject, fix))
            begun[subject] = primary.created_at
            present[subject] = self.definitions.definition(primary.task_definition)
            newest[subject] = self.definitions.newest(family_of(primary.task_definition))
        return TenantVersion(
            running={subject: tag_of(one) for subject, one in present.items()},
            since=begun[tenant],
            steady=all(steady(found[name]) for name in services.values()),
            registered=registered(newest[tenant], newest.values()),
            indexes=frozenset(kind for kind, whose, _ in stack.indexes if whose == tenant),
            lite=present[tenant].variables().get(LITE, "").lower() == "true",
        )


def with_data(context: CopyContext, tenant: Subject, it: TenantVersion) -> TenantVersion:
    """The same with what its database and its indexes say."""
    wanted = [one for one in wanted_of(context.stack) if one.tenant == tenant]
    revision = schemas(context.database, wanted)[tenant].revision
    if number(it.running.get(tenant, ""))[:1] != (COPIES,):
        return replace(it, revision=revision)
    facts = copies(context, [tenant])
    copied = is_copied(facts.records.get(tenant), facts.documents.get(tenant))
    return replace(it, revision=revision, copied=copied)


def tag_of(definition: TaskDefinition) -> str:
    """The tag of Onyx's backend in it; empty: none is, or it is named by its digest alone. Pure."""
    images = (one.image.rsplit("/", 1)[-1] for one in definition.containers)
    return next((tag for name, _, tag in (image.partition(":") for image in images) if name == "onyx-backend"), "")


def registered(own: TaskDefinition, every: Iterable[TaskDefinition]) -> RegisteredVersion:
    """The newest revision of the service that visitors reach, with the sizes of those beside it. Pure."""
    told = {*own.variables(), *own.secret_names()}
    memory: dict[str, int] = {}
    for definition in every:
        for one in definition.containers:
            role = _role(one)
            if role:
                memory[role] = one.memory or definition.memory
    kinds = frozenset(one.name for one in PROVIDERS if one.host_variable in told)
    return RegisteredVersion(tag_of(own), kinds, memory)


def _role(container: ContainerDefinition) -> str:
    """`api` or `background`: both run the backend's image."""
    if not container.image.rsplit("/", 1)[-1].startswith("onyx-backend"):
        return ""
    return "background" if "background" in container.name or "worker" in container.name else "api"


def revisions_in(settings: Mapping[Subject, Mapping[str, list[dict[str, object]]]]) -> Mapping[Subject, str]:
    """Of a backup's settings of each tenant: the revision of its schema. Pure."""
    rows = {tenant: said.get("alembic_version") or [{}] for tenant, said in settings.items()}
    return {tenant: str(found[0].get("version_num", "")) for tenant, found in rows.items()}
