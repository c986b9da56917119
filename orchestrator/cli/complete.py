"""What a shell offers for the value of an option: names that local files know."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click


def tenants(ctx: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Of the stack in the directory that was named so far."""
    from orchestrator.workflows import names
    from orchestrator.workflows.caller import StackRef

    return _beginning(names.tenants(StackRef(ctx.params.get("directory") or Path(), dict(os.environ))), typed)


def steps(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """All there are."""
    from orchestrator.workflows import names

    return _beginning(names.steps(), typed)


def profiles(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Those of AWS's files."""
    from orchestrator.workflows import names

    return _beginning(names.profiles(), typed)


def regions(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Those that botocore knows, of every partition."""
    from orchestrator.workflows import names

    return _beginning(names.regions(), typed)


def codes(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """Of problems and findings."""
    from orchestrator.render.explanation import explanations

    return _beginning(explanations(), typed)


def _beginning(names: Iterable[str], typed: str) -> list[str]:
    return sorted(name for name in names if name.startswith(typed))
