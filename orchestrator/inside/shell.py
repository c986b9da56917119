"""The way into an instance: a script is run there to its end. Over SSM (`aws.ssm.Ssm`), or a test's own."""

from __future__ import annotations

from typing import Protocol


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
