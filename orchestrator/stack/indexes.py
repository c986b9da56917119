"""The tenants' search indexes, as the contract names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from orchestrator.stack.names import Host
from orchestrator.stack.values import PASSWORD_KEY, Arn, InstanceId, Port, Section, Text

VESPA, OPENSEARCH = "vespa", "opensearch"
KINDS = (VESPA, OPENSEARCH)
"""In the order in which they are told."""


class IndexServer(Section):
    """One tenant's search index on its own instance; `port` is where its tasks ask it."""

    instance_id: InstanceId
    host: Host
    port: Port


class Vespa(IndexServer):
    """One tenant's search index on its own instance."""

    port: Port = 8081
    config_port: Port = 19071


class OpenSearch(IndexServer):
    """One tenant's search index on its own instance, over TLS; the tasks sign in as `admin_user`.

    `secret_arn` is a secret of Secrets Manager that the instance itself may read; `secret_key` the key of its JSON
    object; empty: the whole value.
    """

    port: Port = 9200
    admin_user: Text = "admin"
    secret_arn: Arn
    secret_key: str = PASSWORD_KEY

    @property
    def region(self) -> str:
        """Where the secret is."""
        return self.secret_arn.split(":")[3]


KnownServer = Vespa | OpenSearch
"""One of the kinds there are."""


class TenantIndexes(Section):
    """A tenant's search indexes, by their kind: Onyx 2 has Vespa, Onyx 3 both, Onyx 4 OpenSearch, Onyx Lite none."""

    vespa: Vespa | None = None
    opensearch: OpenSearch | None = None

    @property
    def servers(self) -> Mapping[str, KnownServer]:
        """Those there are, by their kind."""
        found = {VESPA: self.vespa, OPENSEARCH: self.opensearch}
        return {kind: one for kind, one in found.items() if one is not None}


class PlacedIndex(NamedTuple):
    """An index, whose it is, and which kind of program it is."""

    kind: str
    tenant: str
    server: IndexServer

    @property
    def word(self) -> str:
        """As losses, backups and `--allow-loss` call it."""
        return word(self.kind, self.tenant)


def placed(vespas: Mapping[str, Vespa], of_tenants: Mapping[str, TenantIndexes | None]) -> tuple[PlacedIndex, ...]:
    """Every index, kind by kind: those of the stack's `vespa`, and those that a tenant itself has."""
    found: dict[tuple[str, str], KnownServer] = {(VESPA, tenant): one for tenant, one in vespas.items()}
    for tenant, indexes in of_tenants.items():
        servers = indexes.servers if indexes else {}
        found |= {(kind, tenant): one for kind, one in servers.items()}
    by_kind = sorted(found.items(), key=lambda item: KINDS.index(item[0][0]))
    return tuple(PlacedIndex(kind, tenant, one) for (kind, tenant), one in by_kind)


def word(kind: str, tenant: str) -> str:
    """What a tenant's index of this kind is called."""
    return f"{kind}:{tenant}"


def kind_in(name: str) -> str:
    """Of which kind the index that is called so is."""
    return name.partition(":")[0]


def tenant_in(name: str) -> str:
    """Whose the index that is called so is."""
    return name.partition(":")[2]
