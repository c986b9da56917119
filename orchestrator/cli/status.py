"""`orchestrate status`: what each step observes now, and one table of everything; with `--watch` until all is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, steps_options

if TYPE_CHECKING:
    from orchestrator.app import Lookout
    from orchestrator.app.lookout import Picture
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome

EVERY = 5.0
"""Seconds between two looks (`--poll` says otherwise)."""


@click.command()
@click.option("--watch", is_flag=True, help="Keep looking until everything is up, or Ctrl-C.")
@contract_option
@steps_options
def status(contract: str | None, watch: bool, **given: Any) -> None:
    """Show what each step observes now and one table of all parts, changing nothing.

    Exit status 6 when there is work to do, for `run` or for `doctor --fix`; with --only or --skip, when the chosen
    steps have some. With --watch the table is drawn anew until everything is up (0), until Ctrl-C (130), or for
    --timeout seconds (4).

    Of a stack that is paused, since when and by whom, and whether it stayed so: 6 when its database server runs again.
    """
    from orchestrator.cli.conduct import conduct
    from orchestrator.cli.paused import show_paused

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import app

        operation = conductor.look_at(contract)
        paused = None if watch else show_paused(conductor, operation)
        if paused is not None:
            return paused
        lookout = app.Lookout(operation, conductor.clock)
        return _watched(conductor, lookout) if watch else _shown(conductor, lookout)

    conduct("status", Options.of(given), work)


def _shown(conductor: Conductor, lookout: Lookout) -> Outcome:
    from orchestrator.cli.conduct import show_survey

    picture = lookout.look()
    show_survey(conductor, picture.verdicts)
    for part in picture.parts:
        conductor.emit(part)
    return _outcome(conductor.options, picture)


def _outcome(options: Options, picture: Picture) -> Outcome:
    """That of the steps; where all are asked for, pending as well when a part is not up that no run brings up."""
    from orchestrator import board
    from orchestrator.cli.conduct import outcome_of
    from orchestrator.errors import Outcome

    outcome = outcome_of(picture.verdicts)
    if outcome is not Outcome.SUCCEEDED or options.only or options.skip or board.is_up(picture.parts):
        return outcome
    return Outcome.PENDING


def _watched(conductor: Conductor, lookout: Lookout) -> Outcome:
    from orchestrator.cli.conduct import survey_events
    from orchestrator.errors import Interrupted, Outcome, Problem, TimedOut

    clock, limit = conductor.clock, conductor.settings["timeout"]
    deadline = clock.monotonic() + limit if limit else float("inf")
    while True:
        picture = lookout.look()
        conductor.picture([*survey_events(picture.verdicts), *picture.parts])
        outcome = _outcome(conductor.options, picture)
        if outcome is Outcome.SUCCEEDED:
            return outcome
        if clock.monotonic() >= deadline:
            fix = "`orchestrate doctor` says why"
            raise TimedOut(Problem("not-up-in-time", f"not everything is up after {limit:g} s", "status", fix))
        try:
            clock.sleep(min(conductor.settings["poll"] or EVERY, max(0.0, deadline - clock.monotonic())))
        except Interrupted:
            return Outcome.INTERRUPTED
