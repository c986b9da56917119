"""The first real account: `scripts/smoke-aws`. Makes the smallest stack, tells the README's story, leaves nothing.

It asks before it makes anything, and writes one file: the shapes of every call that orchestrate made (`recording`).
Terraform's own calls are not in it. What a run that died half-way has left, the next one takes away before it begins.
Without a domain of yours the site has a name under `.invalid` that only this run resolves, and a certificate that only
this run trusts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestrator.errors import OrchestratorError
from orchestrator.local.stories.demo.stage import StoryError, interruptible
from tests.smoke.account import Account, AccountError
from tests.smoke.story import Plan, Story

WORK = Path(".orchestrate") / "smoke"
PRICE = """\
one Fargate task (1 vCPU, 3 GB), db.t4g.small, cache.t4g.micro, t3.medium, a load balancer, one public zone record;
made twice, each time for about half an hour: about 1 USD, in us-west-2, of the prices of 2025"""


@click.command()
@click.option("--region", default="us-west-2", show_default=True)
@click.option("--name", default="smoke", show_default=True, help="First half of the stack's name; the second is `aws`.")
@click.option("--hostname", help="The site's name, in a public zone of this account's Route 53.")
@click.option("--zone", help="That zone.")
@click.option("--yes", "confirmed", metavar="ACCOUNT", help="Don't ask: this is the account that is meant.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("smoke-aws.jsonl"), show_default=True)
@click.option("--only-clean", is_flag=True, help="Take away what an earlier run has left, and end.")
def main(
    region: str,
    name: str,
    hostname: str | None,
    zone: str | None,
    confirmed: str | None,
    out: Path,
    *,
    only_clean: bool,
) -> None:
    """Try orchestrate on a sandbox account."""
    if bool(hostname) != bool(zone):
        raise click.UsageError("--hostname and --zone belong together")
    try:
        account = Account.of(region)
        plan = Plan(name=name, region=region, hostname=hostname, zone=zone)
        _agreed(account, plan, confirmed)
        with interruptible():
            story = Story(account, plan, WORK / f"{plan.stack}-{account.id}", out.absolute())
            story.clean()
            if not only_clean:
                story.tell()
    except (AccountError, StoryError, OrchestratorError) as failure:
        for line in getattr(failure, "tail", ()):
            click.echo(f"       | {line}", err=True)
        raise click.ClickException(
            f"{failure}\nWhat is left, this takes away: scripts/smoke-aws --only-clean"
        ) from None
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; what is left, scripts/smoke-aws --only-clean takes away") from None
    click.echo("nothing is left in the account" if only_clean else f"the record is in {out}; nothing is left")


def _agreed(account: Account, plan: Plan, confirmed: str | None) -> None:
    """Raises click.Abort where the account isn't the one that is meant."""
    click.echo(f"account  {account.id} ({account.arn})")
    click.echo(f"region   {plan.region}")
    click.echo(f"stack    {plan.stack}, one tenant, {plan.site}")
    click.echo(f"makes    {PRICE}")
    typed = confirmed or click.prompt("Type the account's number to go on")
    if typed != account.id:
        raise click.ClickException(f"the account is {account.id}, not {typed}: nothing was made")


if __name__ == "__main__":
    sys.exit(main())
