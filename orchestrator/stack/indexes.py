"""The tenants' search indexes, as the contract names them."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.stack.names import Host
from orchestrator.stack.values import PASSWORD_KEY, Arn, InstanceId, Port, Section, Text

VESPA, OPENSEARCH = "vespa", "opensearch"


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


class PlacedIndex(NamedTuple):
    """An index, whose it is, and which kind of program it is."""

    kind: str
    tenant: str
    server: IndexServer

    @property
    def word(self) -> str:
        """As losses, backups and `--allow-loss` call it."""
        return word(self.kind, self.tenant)


def word(kind: str, tenant: str) -> str:
    """What a tenant's index of this kind is called."""
    return f"{kind}:{tenant}"
