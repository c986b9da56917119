"""`orchestrate migrate`: the schema migrated once, by one task, before the rollout."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import care_options, chosen_steps, contract_option, place_options, settings_options
from orchestrator.cli.shape import command


@command()
@click.argument("tenants", nargs=-1, metavar="[TENANT...]", shell_complete=complete.tenants)
@contract_option
@care_options
@place_options
@settings_options
def migrate(*, tenants: tuple[str, ...], **given: Any) -> None:
    """Migrate the schema of each tenant by one ECS task, and roll the newest task definition out once it succeeded.

    Onyx's api migrates when it starts, and several that start at once break each other's migrations. This runs
    `alembic upgrade head` in one task of its own, with the newest revision of the service's task definition, in its
    network and with its roles. Its log is shown as it is written. If it fails, nothing is rolled out; if this command
    is interrupted, the same command follows the task that runs.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.migrate import MigrateOptions, migrate

    carry_out(migrate, MigrateOptions(**chosen_steps({**given, "tenants": tenants})), given)
