"""Stories that end with a comparison of what customers wrote: their last line is `identical`, or what differs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from orchestrator.errors import OrchestratorError, Outcome
from orchestrator.local.stories import demo
from orchestrator.local.stories.demo.stage import Stage, StoryError, interruptible, set_up, undisturbed


def tell(name: str, speed: float, story: Callable[[Stage], Sequence[str]]) -> Outcome:
    """Go the whole way, which returns what differs at its end (nothing: all is the same), and take everything down."""
    with interruptible():
        stage = set_up(Path(tempfile.mkdtemp(prefix=f"orchestrate-{name}-")), keep=False, speed=speed)
        try:
            different = story(stage)
        except KeyboardInterrupt:
            click.echo(f"\n[{stage.elapsed()}] interrupted: taking everything down", err=True)
            return Outcome.INTERRUPTED
        except (StoryError, OrchestratorError) as failure:
            demo.report(stage, failure, name)
            return Outcome.FAILED
        finally:
            with undisturbed():
                stage.close()
    click.echo(f"[{stage.elapsed()}] everything has been taken down")
    click.echo("identical" if not different else f"DIFFERENT: {'; '.join(different)}")
    return Outcome.FAILED if different else Outcome.SUCCEEDED


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What of `before` isn't the same afterwards, in words."""
    changed = (what for what in sorted(before) if before[what] != after.get(what))
    return [f"{what} is {after.get(what)}, was {before[what]}" for what in changed]


def show(stage: Stage, found: Mapping[str, str]) -> None:
    """A line for each digest."""
    for what, digest in sorted(found.items()):
        stage.say(f"{what:<24} {digest}")
