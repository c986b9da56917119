"""`orchestrate demo`: the whole story on a local cloud."""

from __future__ import annotations

import click


@click.command()
@click.option("--keep", is_flag=True, help="Leave the cloud up at the end, to play with.")
@click.option("--speed", type=click.FloatRange(min=1), default=30.0, show_default=True, help="AWS's delays, divided.")
@click.option(
    "--dns",
    type=click.Choice(["route53", "porkbun"]),
    default=None,
    help="A fresh domain there: every apply also proves its certificate.",
)
@click.pass_context
def demo(ctx: click.Context, keep: bool, speed: float, dns: str | None) -> None:
    """Show the whole story on a cloud of your own: apply, destroy, apply, and back to life with one command."""
    from orchestrator.local import demo as story

    ctx.exit(story.tell(keep=keep, speed=speed, dns=dns or "").status)
