"""A database server outside RDS: on EC2, in a container, at another cloud. No AWS call is made for it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aws.rds import ELSEWHERE, ServerState, TakenSnapshot
from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.errors import Invalid, Problem


class Elsewhere:
    """It can be neither stopped nor snapshotted from here: a session shows whether it is up, a dump keeps its data."""

    def server(self, host: str) -> ServerState:
        """Known by its host alone."""
        return ServerState(host, host=host, kind=ELSEWHERE, kept_up="it is not on RDS: stopping it is up to its owner")

    def stop(self, host: str) -> None:
        """Never. Raises `Invalid`."""
        raise _refusal(host, "stopped")

    def start(self, host: str) -> None:
        """Never. Raises `Invalid`."""
        raise _refusal(host, "started")

    def tag(self, arn: str, _key: str, _value: str) -> None:
        """Never. Raises `Invalid`."""
        raise _refusal(arn, "tagged")

    def untag(self, arn: str, _key: str) -> None:
        """Never. Raises `Invalid`."""
        raise _refusal(arn, "tagged")

    def newest_snapshot(self, _host: str) -> TakenSnapshot | None:
        """RDS has none of it."""
        return None


class NoSnapshots:
    """Of such a server RDS has none."""

    def find(self, name: str) -> DbSnapshot:
        """There is none."""
        return DbSnapshot(name)

    def take(self, host: str, _name: str, _tags: Mapping[str, str]) -> None:
        """Never. Raises `Invalid`."""
        raise _refusal(host, "snapshotted")

    def delete(self, name: str) -> None:
        """There is none to delete."""


def _refusal(host: str, done: str) -> Invalid:
    fix = "do it where the server runs; `orchestrate backup --dump --stop-services` keeps its data"
    return Invalid(Problem("database-not-in-rds", f"a server outside RDS can't be {done} from here", host, fix))
