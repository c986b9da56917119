"""The first real account: `scripts/smoke-aws`. Makes the smallest stack, tells the README's story, leaves nothing.

It asks before it makes anything, and writes one file: the shapes of every call of AWS that orchestrate and Terraform
made (`shapes`). What a run that died half-way has left, the next one takes away before it begins. Without a domain of
yours the site has a name under `.invalid` that only this run resolves, and a certificate that only this run trusts.
"""

from __future__ import annotations

import os
import random
import string
import sys
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.errors import OrchestratorError
from orchestrator.local.stories.demo.stage import Stage, StoryError, interruptible
from tests.smoke import folder
from tests.smoke.account import Account, AccountError
from tests.smoke.folder import Plan
from tests.smoke.remains import Sweep, remains
from tests.smoke.story import Story

WORK = Path(".orchestrate") / "smoke"
PRICE = """\
one Fargate task (1 vCPU, 3 GB), db.t4g.small, cache.t4g.micro, t3.medium with 40 GB, a load balancer, snapshots;
made twice, each time for about half an hour: about 1 USD by the prices of us-west-2 in 2025"""
ASKED_ELSEWHERE = frozenset(
    ["acm", "ec2", "ecs", "elasticache", "elasticloadbalancing", "iam", "logs", "rds", "s3", "secretsmanager", "ssm"]
)
"""Services that were asked themselves what is there (`kinds`): the index of tags may still have it."""


@click.command()
@click.option("--region", default="us-west-2", show_default=True)
@click.option("--name", default="smoke", show_default=True, help="First half of the stack's name.")
@click.option("--mark", help="The second half [default: any five letters, others each time].")
@click.option("--hostname", help="The site's name, in a public zone of this account's Route 53.")
@click.option("--zone", help="That zone.")
@click.option("--yes", "confirmed", metavar="ACCOUNT", help="Don't ask: this is the account that is meant.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("smoke-aws.jsonl"), show_default=True)
@click.option("--only-clean", is_flag=True, help="Take away what an earlier run has left, and end.")
def main(
    region: str,
    name: str,
    mark: str | None,
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
        mark = mark or "".join(random.choices(string.ascii_lowercase, k=5))
        plan = Plan(name, mark, account.id, region, hostname, zone)
        with interruptible(), folder.alone(WORK):
            dead = folder.earlier(WORK, account.id)
            _agreed(account, None if only_clean else plan, [one.stack for _, one in dead], confirmed)
            for place, one in dead:
                _clean(place, one)
            if not only_clean:
                _tell(account, plan, out.absolute())
    except (AccountError, StoryError, OrchestratorError, BotoCoreError, ClientError) as failure:
        for line in getattr(failure, "tail", ()):
            click.echo(f"       | {line}", err=True)
        raise click.ClickException(
            f"{failure}\nWhat is left, this takes away: scripts/smoke-aws --only-clean"
        ) from None
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; what is left, scripts/smoke-aws --only-clean takes away") from None
    click.echo("nothing is left in the account" if only_clean else f"the record is in {out}; nothing is left")


def _agreed(account: Account, plan: Plan | None, dead: list[str], confirmed: str | None) -> None:
    """Raises ClickException where the account isn't the one that is meant."""
    click.echo(f"account  {account.id} ({account.arn})")
    for stack in dead:
        click.echo(f"deletes  {stack}, which an earlier run has left")
    if plan:
        click.echo(f"region   {plan.region}")
        click.echo(f"makes    {plan.stack}, one tenant, https://{plan.site}:")
        click.echo("\n".join(f"         {line}" for line in PRICE.splitlines()))
        click.echo("deletes  all of that at the end")
    typed = confirmed or click.prompt("Type the account's number to go on")
    if typed != account.id:
        raise click.ClickException(f"the account is {account.id}, not {typed}: nothing was made or deleted")


def _stage(place: Path) -> Stage:
    return Stage(place.absolute(), place.absolute() / "cloud", "smoke", 1, dict(os.environ))


def _tell(account: Account, plan: Plan, out: Path) -> None:
    if found := remains(plan.of(account)):
        raise StoryError(f"a stack {plan.stack} is there, and not from here: choose another --name or --mark", found)
    place = folder.begun(WORK, plan)
    stage = _stage(place)
    Story(account, plan, stage, out).tell()
    stage.chapter("nothing may be left")
    _leave_nothing(stage, place, plan)


def _clean(place: Path, plan: Plan) -> None:
    """Nothing of an earlier run is left; raises StoryError where something stays."""
    stage = _stage(place)
    stage.chapter(f"what an earlier run has left: {plan.stack} in {plan.region}")
    folder.end_those_in(place, stage.say)
    _leave_nothing(stage, place, plan)


def _leave_nothing(stage: Stage, place: Path, plan: Plan) -> None:
    account = Account.of(plan.region)
    left = Sweep(plan.of(account), stage.say).until_nothing_is_left()
    left += [arn for arn in account.tagged(plan.stack) if arn.split(":")[2] not in ASKED_ELSEWHERE]
    if left:
        raise StoryError(f"{len(left)} things of {plan.stack} are left in the account", left)
    folder.forget(place)


if __name__ == "__main__":
    sys.exit(main())
