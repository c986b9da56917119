"""Names that a command line can be completed with, from local files alone."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.errors import OrchestratorError
from orchestrator.workflows.caller import StackRef


def tenants(stack: StackRef) -> Sequence[str]:
    """Those of orchestrate.toml, else those that the last run recorded here dealt with."""
    from orchestrator.settings import contract_table
    from orchestrator.workflows.history import history

    try:
        named = contract_table(stack.directory).get("tenants")
        if isinstance(named, dict) and named:
            return sorted(named)
        for record in history(stack):
            if named_there := {line.get("subject") for line in record.lines if line.get("step") == "services"} - {""}:
                return sorted(map(str, named_there))
    except OrchestratorError:
        pass
    return ()


def steps() -> Sequence[str]:
    """All there are."""
    from orchestrator.steps import discover

    return [step.id for step in discover()]


def regions() -> Sequence[str]:
    """Those that botocore knows, of every partition."""
    from orchestrator.aws import setup

    return setup.regions()


def profiles() -> Sequence[str]:
    """Those of ~/.aws/config, and of the file of credentials."""
    from orchestrator.aws import setup

    return setup.profiles()
