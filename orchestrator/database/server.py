"""What is asked of the PostgreSQL server and done in it: over SSM (`database.ssm`) or directly (`database.direct`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.database.model import ServerContents, WantedDatabase
from orchestrator.database.sessions import Session


class Server(Protocol):
    """A way to the PostgreSQL server."""

    def observe(self, wanted: Sequence[WantedDatabase]) -> ServerContents:
        """Read what is there, in one session."""
        ...

    def ensure(self, wanted: Sequence[WantedDatabase]) -> None:
        """Make roles, passwords and databases as wanted, under the advisory lock.

        Raises `PartlyFailed`, by tenant, when some of it was refused: the other tenants' is made.
        """
        ...

    def read(
        self, wanted: Sequence[WantedDatabase], generators: Sequence[str], *, at_once: int
    ) -> Mapping[str, Sequence[str]]:
        """For each tenant, as its role: run what each generator gives, in `inventory.SESSION`; the lines that came.

        Raises for all tenants when one can't be read. `at_once` tenants share a command.
        """
        ...

    def sessions(self) -> Sequence[Session]:
        """Everybody's that is connected now, our own of this moment apart."""
        ...
