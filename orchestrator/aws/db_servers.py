"""Where the database server is asked of: RDS instances (`rds`), clusters (`db_clusters`), or nobody (`elsewhere`)."""

from __future__ import annotations

from typing import Protocol

from orchestrator.aws.rds import ServerState, TakenSnapshot


class DbServers(Protocol):
    """Servers by the identifier that the contract has."""

    def server(self, instance: str) -> ServerState:
        """Its state now."""
        ...

    def start(self, instance: str) -> None:
        """Begin to start it."""
        ...

    def stop(self, instance: str) -> None:
        """Begin to stop it."""
        ...

    def tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag."""
        ...

    def untag(self, arn: str, key: str) -> None:
        """Take one tag away."""
        ...

    def newest_snapshot(self, instance: str) -> TakenSnapshot | None:
        """Its newest finished snapshot."""
        ...
