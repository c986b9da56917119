"""`orchestrate upgrade`: tenants from one version of Onyx to another, station by station."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import care_options, chosen_steps, contract_option, place_options, settings_options
from orchestrator.cli.shape import command


@command()
@click.argument("tenants", nargs=-1, metavar="[TENANT...]", shell_complete=complete.tenants)
@click.option("--to", metavar="VERSION", default="", help="The version wanted; by default the newest one known here.")
@click.option("--third", metavar="VERSION", default="", help="The 3.x that copies the documents, between 2.x and 4.x.")
@click.option("--plan", "planned", is_flag=True, help="Show where each tenant is, and its way; change nothing.")
@click.option("--finish", is_flag=True, help="After the upgrade to 4.x: wait until Vespa is removed; a backup first.")
@click.option("--back", is_flag=True, help="Show the way back to the version before: the backup, verified, and how.")
@contract_option
@care_options
@place_options
@settings_options
def upgrade(*, tenants: tuple[str, ...], **given: Any) -> None:
    """Bring tenants to another version of Onyx, one after the other, station by station.

    From 2.x, the path leads through 3.x, which copies the documents from Vespa to OpenSearch. Before each change, a
    backup is taken and verified. Then it shows the lines to change, and waits until they are applied; one task migrates
    the schema before the rollout; the copy is watched; before 4.x, every document must be found by its id in both
    indexes. Where a tenant stands is read from the stack each time: after an interruption, the same command continues.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.upgrade import UpgradeOptions, upgrade

    steps = chosen_steps({**given, "tenants": tenants})
    ways = {name: given[name] for name in ("to", "third", "planned", "finish", "back")}
    carry_out(upgrade, UpgradeOptions(**steps, **ways), given)
