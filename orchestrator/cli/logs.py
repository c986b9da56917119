"""`orchestrate logs`: what the tenants' containers write, as one stream; and what the search indexes wrote."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import chosen_steps, contract_option, run_options, settings_options, tenant_option
from orchestrator.cli.shape import command


@command()
@click.argument("source", required=False, type=click.Choice(["vespa", "opensearch"]), metavar="[vespa|opensearch]")
@click.option("--container", metavar="NAME", default="", help="Only this container (api, background, web, nginx).")
@click.option("--follow", "-f", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option(
    "--since", default="10m", show_default=True, help="How long ago (90s, 30m, 1h30m, 2d), or when (ISO 8601)."
)
@click.option(
    "--grep", multiple=True, metavar="TEXT", help="Only lines that contain this text (repeatable: any of the texts)."
)
@contract_option
@tenant_option
@run_options
@settings_options
def logs(source: str | None, *, container: str, follow: bool, since: str, grep: tuple[str, ...], **given: Any) -> None:
    """Show the logs of the tenants' containers in order of time; with a kind of index, those of its containers.

    --grep takes plain text, or one CloudWatch filter pattern (`?ERROR ?Exception`, `"two words"`, `%regex%`). The
    indexes' logs are fetched over SSM, which carries the last 20,000 characters. Secrets of the stack are shown as ***.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.logs import LogsOptions, logs

    options = LogsOptions(
        **chosen_steps(given), index=source or "", container=container, follow=follow, since=since, grep=grep
    )
    carry_out(logs, options, given)
