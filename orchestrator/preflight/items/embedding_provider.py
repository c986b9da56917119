"""The embedding provider is configured in each tenant's admin pages: without one no document can be indexed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.checklist.facts import onyx_backend
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, TenantService, manual
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource
from orchestrator.stack.blueprint.tenancy import containers

PAGE = "/admin/configuration/search"


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Neither a model server nor Onyx without a search index needs one; else its database tells, or a person."""
    if unit.definition is not None and unit.definition.get("container_definitions") is not UNKNOWN:
        said = onyx_backend(unit.definition).variables()
        if said.get("DISABLE_VECTOR_DB", "").lower() == "true":
            return  # Onyx Lite: no index, so nothing is embedded
        if said.get("DISABLE_MODEL_SERVER", "").lower() != "true":
            yield from _model_server(unit, unit.definition, said)
            return
    host = evidence.tenancy.tenants[unit.tenant].hostname if unit.tenant in evidence.tenancy.tenants else ""
    page = f"https://{'<site>' if not host or '*' in host else host}{PAGE}"
    seen = evidence.live.embeddings.get(unit.tenant) if evidence.live else None
    if seen is None:
        yield manual(
            "embedding-provider",
            "check whether an embedding provider is configured",
            subject=unit.tenant,
            address=page,
            fix=f"open {page} as an administrator",
        )
    elif seen == 0:
        yield Remark(
            status=Status.FAILED,
            code="embedding-provider-missing",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says="no document can be indexed or found",
            why="no embedding provider is configured, and the model server is off",
            address=page,
            current="0 rows in the tenant's table embedding_provider",
            wanted="one provider with its key",
            fix=f"open {page} as an administrator, and enter the provider's key",
        )


def _model_server(unit: TenantService, definition: Resource, said: Mapping[str, str]) -> Iterable[Remark]:
    """Onyx embeds with its own model server unless it is told not to: there must be one."""
    beside = any("model" in str(one.get("name", "")) for one in containers(definition) or ())
    if not said.get("MODEL_SERVER_HOST") and not beside:
        yield Remark(
            status=Status.FAILED,
            code="model-server-missing",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says="the tasks wait for a model server that does not exist",
            why="Onyx looks for one on localhost unless DISABLE_MODEL_SERVER is true",
            address=definition.address,
            current="neither DISABLE_MODEL_SERVER nor MODEL_SERVER_HOST, and no container of that name",
            wanted="no model server (a provider creates the embeddings), or one with its host set",
            hcl='{ name = "DISABLE_MODEL_SERVER", value = "true" }',
        )


ITEM = Item(
    id="embedding-provider",
    title="Every tenant has an embedding provider",
    occasion=Checklist.AFTER,
    judge=each_tenant(judge, "one is configured, or none is needed (a model server; no search index)"),
    lines=("Configure embedding provider in admin UI (if using cloud embeddings)",),
)
