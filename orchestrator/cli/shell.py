"""`orchestrate shell`: a shell on an instance of the stack, through SSM."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from orchestrator.cli.options import Options, contract_option, directory_option, settings_options

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome
    from orchestrator.session_plugin import Plugin


@click.command()
@click.argument("where", type=click.Choice(["vespa", "runner"]), metavar="[vespa|runner]")
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Whose Vespa, when there are several.")
@contract_option
@directory_option
@settings_options
def shell(where: str, contract: str | None, **given: Any) -> None:
    """Open a shell on a tenant's Vespa instance or on the runner, where AWS's session-manager-plugin is installed.

    The session is started with the caller's own rights (ssm:StartSession); this program becomes the plugin.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator.session_plugin import Plugin

        plugin = Plugin.find(conductor.environment)
        operation = conductor.look_at(contract)
        instance = _runner(operation) if where == "runner" else _vespa(operation)
        _enter(conductor, operation, plugin, instance)

    conduct("shell", Options.of(given), work)


def _runner(operation: Operation) -> str:
    from orchestrator.errors import Invalid, Problem

    if operation.stack.runner is None:
        fix = "name an instance as `runner` in the contract (docs/how-to/use-on-your-stack.md)"
        raise Invalid(Problem("runner-unknown", "the contract names no runner", "shell runner", fix))
    return operation.stack.runner.instance_id


def _vespa(operation: Operation) -> str:
    """The one instance that is meant. Raises `Invalid` when several could be."""
    from orchestrator.errors import Invalid, Problem

    found = {name: one.instance_id for name, one in operation.vespas().items()}
    if len(set(found.values())) > 1:
        fix = f"add --tenant {min(found)}"
        message = f"there are several: of {', '.join(sorted(found))}"
        raise Invalid(Problem("tenant-needed", message, "shell vespa", fix))
    return next(iter(found.values()))


def _enter(conductor: Conductor, operation: Operation, plugin: Plugin, instance: str) -> NoReturn:
    from orchestrator.errors import OrchestratorError, Problem
    from orchestrator.session_plugin import arguments

    response = operation.ssm.start_session(instance)
    profile = conductor.settings["profile"] or conductor.environment.get("AWS_PROFILE", "")
    argv = arguments(instance, region=operation.stack.region, profile=profile, endpoint=operation.ssm.endpoint)
    sys.stdout.flush()
    try:
        plugin.become(response, argv)
    except OSError as error:
        operation.ssm.end_session(response["SessionId"])
        fix = "reinstall it: 'Install the Session Manager plugin for the AWS CLI'"
        raise OrchestratorError(Problem("session-plugin-failed", str(error), plugin.path, fix)) from None
