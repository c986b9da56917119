"""The way into an instance: a script is run there to its end. Over SSM (`aws.ssm.Ssm`), or a test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.engine.subjects import Attempts, Subject


class ScriptOutput(Protocol):
    """What a finished script leaves."""

    @property
    def stdout(self) -> str:
        """Its standard output, at most 24,000 characters."""
        ...


class Shell(Protocol):
    """Runs scripts on instances."""

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> ScriptOutput:
        """Run it to its end. Raises when it can't be run, fails, or takes more than `timeout` seconds."""
        ...


class Shells(Shell, Protocol):
    """Runs a script on several instances too."""

    def run_on(self, instance_ids: Sequence[str], script: str, *, comment: str, timeout: int) -> Attempts[ScriptOutput]:
        """The same script on several instances at the same time; by instance what came of it."""
        ...


def on_each(
    shell: Shells, places: Mapping[Subject, str], script: str, *, comment: str, timeout: int
) -> Attempts[ScriptOutput]:
    """The script on each subject's instance; by subject what came of it. Those who share an instance share that too."""
    said = shell.run_on(sorted(set(places.values())), script, comment=comment, timeout=timeout)
    return Attempts(
        {subject: said.results[place] for subject, place in places.items() if place in said.results},
        {subject: said.failures[place] for subject, place in places.items() if place in said.failures},
    )
