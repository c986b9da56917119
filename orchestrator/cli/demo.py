"""`orchestrate demo`: the whole story on a local cloud."""

from __future__ import annotations

import click

from orchestrator.cli.extras import require_local
from orchestrator.cli.shape import command


@command()
@click.option("--keep", is_flag=True, help="Leave the cloud running at the end.")
@click.option(
    "--speed",
    type=click.FloatRange(min=1),
    default=30.0,
    show_default=True,
    help="How many times shorter delays are than on AWS.",
)
@click.option(
    "--dns",
    type=click.Choice(["route53", "porkbun"]),
    default="route53",
    show_default=True,
    help="Provider of the domain, where each apply also gets the certificate issued.",
)
@click.option(
    "--hook",
    type=click.Choice(["null_resource", "terraform_data"]),
    default=None,
    help="Run a plain `terraform apply`: this module of hooks/ calls orchestrate.",
)
@click.option(
    "--terraform",
    type=click.Choice(["1.11", "1.15"]),
    default=None,
    help="Use a Terraform release of this line (downloaded if missing).",
)
@click.option(
    "--onyx",
    type=click.Choice(["2", "4"]),
    default="2",
    show_default=True,
    help="Run this major version of Onyx: 2 has Vespa, 4 has OpenSearch and a service of its own for background.",
)
@click.pass_context
def demo(
    ctx: click.Context,
    *,
    keep: bool,
    speed: float,
    dns: str,
    hook: str | None,
    terraform: str | None,
    onyx: str,
) -> None:
    """Run the whole story on a local cloud: apply, destroy, apply, and back to life with one command."""
    require_local()
    from orchestrator.local.stories import demo as story

    telling = story.DemoOptions(dns, hook or "", terraform or "", int(onyx))
    ctx.exit(story.tell(telling, keep=keep, speed=speed).status)
