"""`hashicorp/local` 2.6, of which the action `local_command` is played: no registry, no provider.

As its source has it (internal/provider/action_local_command.go): the program is looked up on PATH, gets `arguments`,
`stdin`, `working_directory` and the provider's own environment; at its end, what it said on standard output is one
progress message. One that fails is an error with what it said on standard error, and its standard output is lost.
Left out: everything else of the provider, the check while planning that the program exists, the errors' exact words.

This runs in an environment of its own, as the program that Terraform starts (`tests.terraform.played.laid_out`).
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from typing import Any

from attrs import define
from pyvider.actions.base import BaseAction
from pyvider.actions.decorators import register_action
from pyvider.actions.types import ActionProgress
from pyvider.providers.base import BaseProvider, ProviderMetadata
from pyvider.providers.decorators import register_provider
from pyvider.schema import PvsSchema, a_list, a_str, s_resource


@define
class CommandConfig:
    """The action's `config` block."""

    command: str
    arguments: list[str] | None = None
    stdin: str | None = None
    working_directory: str | None = None


@register_action("local_command")
class LocalCommand(BaseAction[CommandConfig]):
    """`action "local_command"`."""

    config_class = CommandConfig

    @classmethod
    def get_schema(cls) -> PvsSchema:
        """One text is required."""
        optional = {name: a_str(optional=True) for name in ("stdin", "working_directory")}
        return s_resource({"command": a_str(required=True), "arguments": a_list(a_str(), optional=True), **optional})

    async def invoke(self, ctx: Any) -> AsyncIterator[ActionProgress]:
        """Run it to its end."""
        config: CommandConfig = ctx.config
        done = subprocess.run(
            [config.command, *(config.arguments or ())],
            cwd=config.working_directory,
            input=config.stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Command Error: {done.stderr}\nState: exit status {done.returncode}")
        yield ActionProgress(f"\n\n{done.stdout}\n")


@register_provider("local")
class LocalProvider(BaseProvider):
    """Without settings."""

    def __init__(self) -> None:
        super().__init__(metadata=ProviderMetadata(name="local", version="2.6.0"))
