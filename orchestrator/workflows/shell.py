"""A shell on an instance of the stack, through SSM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from orchestrator.errors import Invalid, OrchestratorError, Outcome, Problem
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.aws.session_plugin import Plugin


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellOptions(StepOptions):
    """On which instance; `before` is called just before this process becomes the plugin."""

    where: str
    """A kind of index, or `runner`."""
    before: Callable[[], None] = lambda: None


def shell(stack: StackRef, options: ShellOptions, *, emit: Emit = ignore, caller: Caller | None = None) -> Outcome:
    """Start a session with the caller's own rights (ssm:StartSession); this process becomes the plugin."""

    def work(execution: Execution) -> Outcome:
        from orchestrator.aws.session_plugin import Plugin

        plugin = Plugin.find(execution.environment)
        operation = execution.look_at()
        instance = _runner(operation) if options.where == "runner" else _index(operation, options.where)
        _enter(execution, operation, plugin, instance, options.before)

    return perform("shell", stack, work, emit=emit, caller=caller, steps=options)


def _runner(operation: Operation) -> str:
    if operation.stack.runner is None:
        fix = "name an instance as `runner` in the contract (docs/how-to/use-on-your-stack.md)"
        raise Invalid(Problem("runner-unknown", "the contract names no runner", "shell runner", fix))
    return operation.stack.runner.instance_id


def _index(operation: Operation, kind: str) -> str:
    """The one instance that is meant. Raises `Invalid` when several could be."""
    found = {name: one.instance_id for name, one in operation.indexes(kind).items()}
    if len(set(found.values())) > 1:
        fix = f"add --tenant {min(found)}"
        message = f"there are several: those of {', '.join(sorted(found))}"
        raise Invalid(Problem("tenant-needed", message, f"shell {kind}", fix))
    return next(iter(found.values()))


def _enter(
    execution: Execution, operation: Operation, plugin: Plugin, instance: str, before: Callable[[], None]
) -> NoReturn:
    from orchestrator.aws.session_plugin import arguments

    response = operation.ssm.start_session(instance)
    profile = execution.settings["profile"] or execution.environment.get("AWS_PROFILE", "")
    argv = arguments(instance, region=operation.stack.region, profile=profile, endpoint=operation.ssm.endpoint)
    before()
    try:
        plugin.become(response, argv)
    except OSError as error:
        operation.ssm.end_session(response["SessionId"])
        fix = "reinstall it: 'Install the Session Manager plugin for the AWS CLI'"
        raise OrchestratorError(Problem("session-plugin-failed", str(error), plugin.path, fix)) from None
