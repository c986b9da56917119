"""`orchestrate pause`: services to 0, database server and instances stopped; the data stay."""

from __future__ import annotations

import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options

if TYPE_CHECKING:
    from orchestrator.app import Pausing
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Only this tenant's service (repeatable).")
@click.option(
    "--keep-paused", is_flag=True, help="On a paused stack: stop the database server that RDS has started again."
)
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@place_options
@settings_options
def pause(contract: str | None, *, keep_paused: bool, auto_approve: bool, **given: Any) -> None:
    """Stop what costs by the hour and can be stopped: services, the database server, Vespa's instances, the runner.

    What the services were is remembered on them, so that `orchestrate resume`, from any machine, brings exactly that
    back. Data, names and load balancer stay. With --tenant only services are stopped. --keep-paused asks nothing, and
    does nothing to a stack that isn't paused.
    """
    from orchestrator.cli.conduct import conduct

    if keep_paused and given["tenants"]:
        raise click.UsageError(
            "--keep-paused is about the database server, which no single tenant has: without --tenant"
        )

    def work(conductor: Conductor) -> Outcome:
        with conductor.exclusive():
            pausing = _pausing(conductor, contract, kept=keep_paused)
            if keep_paused:
                return _keep(conductor, pausing)
            return _pause(conductor, pausing, approved=auto_approve)

    conduct("pause", Options.of({"only": (), "skip": (), "adopt": False, **given}), work, recorded=True)


def _pausing(conductor: Conductor, contract: str | None, *, kept: bool) -> Pausing:
    from orchestrator import app
    from orchestrator.cli.origin import user

    stack = app.contract_from(contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn)
    kind = partial(app.Pausing, who=(user(), socket.gethostname()), kept=kept)
    pausing = conductor.undertake(kind, stack)
    pausing.verify()
    return pausing


def _keep(conductor: Conductor, pausing: Pausing) -> Outcome:
    from orchestrator import app
    from orchestrator.errors import Outcome
    from orchestrator.events import StepDone

    if app.standing_of(pausing.stack, pausing.aws).whole is None:
        conductor.emit(StepDone(step="pause", detail="the stack is not paused: there is nothing to keep"))
        return Outcome.SUCCEEDED
    return pausing.run(conductor.emit, conductor.change).outcome


def _pause(conductor: Conductor, pausing: Pausing, *, approved: bool) -> Outcome:
    from orchestrator.cli.apply import approve
    from orchestrator.cli.conduct import show_survey
    from orchestrator.errors import Outcome

    if show_survey(conductor, pausing.preview()) is Outcome.SUCCEEDED:
        conductor.text("Paused already: nothing to do.")
        return Outcome.SUCCEEDED
    _say_costs(conductor, pausing)
    whole = not conductor.options.tenants
    approve(conductor, approved, "Pause this stack?" if whole else "Stop these services?")
    return pausing.run(conductor.emit, conductor.change).outcome


def _say_costs(conductor: Conductor, pausing: Pausing) -> None:
    """Nothing depends on it: where it can't be made, that is said."""
    from orchestrator.errors import OrchestratorError
    from orchestrator.events import FindingReported

    try:
        estimate = pausing.estimate()
    except OrchestratorError as error:
        problem = error.problems[0]
        said = f"no estimate of the costs: {problem.message}"
        conductor.emit(FindingReported(step="pause", detail=said, code=problem.code, fix=problem.fix))
        return
    conductor.emit(
        FindingReported(
            step="pause",
            detail=str(estimate),
            code="cost-estimate",
            severity="info",
            cause="ElastiCache has no stop; load balancer, NAT gateway, addresses and storage cost as before",
            evidence=tuple(map(str, estimate.lines)),
            fix=f"look at your bill: traffic, logs, S3 and backups are not in it ({estimate.source})",
        )
    )
