"""The round trip: rows, objects and documents of two tenants through backup, destroy and restore, and the same again.

`python -m orchestrator.local.stories.roundtrip [--speed N] [--onyx 2|4]`. Its last line is `identical`, or what
differs. What is compared is read by a witness of its own, not by the orchestrator: every row, every byte, every
document; and what became of the rest of the stack is what the documents claim (`comparison.json`). Everything guards
the data at first (deletion protection, a bucket with versions that Terraform may not empty, a final snapshot): destroy
has to cope.

It takes 5 minutes at least: the AWS provider (5.100) sleeps 80 s when it has made an RDS instance, 61 when it deletes
one, 160 when it restores one and sets its password, however fast the cloud is.
"""

from __future__ import annotations

import os

import click

from orchestrator.errors import Outcome
from orchestrator.local.stories import compared, comparison, demo
from orchestrator.local.stories.customers import Customers
from orchestrator.local.stories.demo.evidence import OutsideView
from orchestrator.local.stories.demo.onyx import DEFAULT, ONYX, ToldOnyx
from orchestrator.local.stories.demo.progress import Applying
from orchestrator.local.stories.demo.stage import Stage
from orchestrator.local.toolchain import toolchain

SPEED = 40.0
GUARDED = ("deletion_protection=true", "bucket_force_destroy=false", "postgres_final_snapshot=true")


def tell(speed: float = SPEED, onyx: int = DEFAULT) -> Outcome:
    """Go the whole way; how it ended."""
    return compared.tell("roundtrip", speed, lambda stage: _story(stage, ONYX[onyx]))


def _story(stage: Stage, onyx: ToldOnyx) -> list[str]:
    """What differs at the end; empty: nothing."""
    tools = toolchain.prepare(say=stage.say)
    stage.chapter("Start a local cloud, with a stack that has everything that protects its data")
    stage.up(os.environ)
    witness = OutsideView(stage.environ)
    witness.make_zone(demo.ZONE)
    workdir = demo.copy_sources(stage, tools)
    onyx.choose(workdir)
    stage.say(f"Onyx {onyx.version}: {onyx.said}")
    variables = [demo.VARIABLES, *(f"-var={one}" for one in GUARDED)]
    stage.orchestrate("apply", "--auto-approve", *variables, cwd=workdir, show=Applying())
    contract = demo.contract_of(stage, tools.program, workdir)

    stage.chapter("Two tenants write rows, files and documents")
    customers = Customers(stage.environ, contract)
    _write(stage, customers, 0, 30)

    stage.chapter("orchestrate backup: while the services run")
    stage.orchestrate("backup", cwd=workdir)
    _write(stage, customers, 30, 5)
    before, data = comparison.look(customers), customers.fingerprint()
    compared.show(stage, data)

    stage.chapter("orchestrate destroy: a backup of its own, then Terraform")
    stage.orchestrate("destroy", "--confirm", contract["stack"], *variables, cwd=workdir, show=Applying())
    stage.orchestrate("destroy", "--confirm", contract["stack"], *variables, cwd=workdir, show=Applying())

    stage.chapter("orchestrate restore")
    stage.orchestrate("restore", "--auto-approve", *variables, cwd=workdir, show=Applying())
    contract = demo.contract_of(stage, tools.program, workdir)
    demo.expect_sites(stage, witness, contract)
    customers = Customers(stage.environ, contract)
    after = customers.fingerprint()
    compared.show(stage, after)
    broken = comparison.broken("destroy and restore", before, comparison.look(customers))
    return [*compared.differences(data, after), *broken]


def _write(stage: Stage, customers: Customers, first: int, count: int) -> None:
    for tenant in customers.contract["tenants"]:
        customers.write(tenant, first, count)
    stage.say(f"{count} messages, files and documents for each tenant")


@click.command()
@click.option("--speed", type=click.FloatRange(min=1), default=SPEED)
@click.option("--onyx", type=click.Choice([str(major) for major in ONYX]), default=str(DEFAULT))
@click.pass_context
def main(ctx: click.Context, *, speed: float, onyx: str) -> None:
    """Take two tenants' data through backup, destroy and restore."""
    ctx.exit(tell(speed, int(onyx)).status)


if __name__ == "__main__":
    main()
