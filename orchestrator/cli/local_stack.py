"""What `orchestrate local up --stack` makes: a stack that lives, with a folder to work in."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import string
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.errors import counted

if TYPE_CHECKING:
    from orchestrator.errors import Outcome
    from orchestrator.workflows.caller import StackRef

ZONE = "vigilon.app"


@dataclass(frozen=True, slots=True)
class LocalStack:
    """Where to work on it, and what has to be in the environment beside what `local env` says."""

    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)


def made_through_the_api(folder: Path, environ: Mapping[str, str], tenants: int) -> LocalStack:
    """In seconds: its contract and an orchestrate.toml are in `folder`."""
    from orchestrator.local.core import api
    from orchestrator.local.world import build
    from orchestrator.workflows.caller import StackRef
    from orchestrator.workflows.certificate import certificate
    from orchestrator.workflows.run import run

    contract = folder / "contract.json"
    if _is_there(folder, contract):
        return LocalStack(folder)
    _say_begin(tenants)
    made = build(api.session(environ), endpoint=environ["AWS_ENDPOINT_URL"], tenants=_names(tenants))
    folder.mkdir(parents=True)
    (folder / "orchestrate.toml").write_text(_settings(environ, "its contract is in contract.json"), encoding="utf-8")
    contract.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    stack = StackRef(folder, {**os.environ, **environ})
    _shown("run", stack, lambda **how: _first(certificate(stack, **how), partial(run, stack, **how)))
    return LocalStack(folder)


def made_by_terraform(folder: Path, environ: Mapping[str, str], tenants: int) -> LocalStack:
    """By `orchestrate apply` in `folder`/terraform, in minutes. Raises `Invalid` where Terraform can't be had."""
    from orchestrator.local.core import api
    from orchestrator.local.stories.demo.sources import copied
    from orchestrator.local.toolchain import toolchain
    from orchestrator.local.world import hosted_zone
    from orchestrator.workflows.apply import ApplyOptions, apply
    from orchestrator.workflows.caller import StackRef

    directory = folder / "terraform"
    tools = toolchain.prepare({**os.environ, **environ}, say=click.echo)
    program = str(tools.program.path)
    variables = {} if shutil.which(tools.program.product) == program else {"TERRAFORM_BIN": program}
    made = LocalStack(directory, variables)
    if _is_there(folder, directory / "terraform.tfstate"):
        return made
    _say_begin(tenants)
    if not directory.exists():
        copied(folder)
    hosted_zone(api.client(environ, "route53"), ZONE)
    (directory / "orchestrate.toml").write_text(_settings(environ, "its state is here"), encoding="utf-8")
    values = json.dumps(_variables(tenants, environ["AWS_REGION"]), indent=2)
    (directory / "stack.auto.tfvars.json").write_text(values + "\n", encoding="utf-8")
    chosen = tools.environment({**os.environ, **environ}) | tools.choose(directory)
    stack = StackRef(directory, chosen)
    _shown("apply", stack, partial(apply, stack, ApplyOptions(approved=True)))
    return made


def _is_there(folder: Path, sign: Path) -> bool:
    if sign.exists():
        click.echo(f"The stack in {folder} is there already; `orchestrate local down` removes it with its cloud.")
    return sign.exists()


def _say_begin(tenants: int) -> None:
    click.echo(f"Making a stack with {counted(tenants, 'tenant')} ...")


def _names(tenants: int) -> list[str]:
    return [f"customer-{string.ascii_lowercase[at] if at < 26 else at + 1}" for at in range(tenants)]


def _variables(tenants: int, region: str) -> Mapping[str, Any]:
    """Of terraform/: a stack to be thrown away, whose certificate the apply itself gets issued, as on AWS."""
    from orchestrator.local.world import hostname

    own = {name: {"slot": at, "hostname": hostname(name, at)} for at, name in enumerate(_names(tenants))}
    return {
        "region": region,
        "tenants": own,
        "redis_databases": max(16, 3 * tenants),
        "dns": {"provider": "route53", "zone": ZONE, "ttl": 60},
        "deletion_protection": False,
        "postgres_final_snapshot": False,
        "bucket_force_destroy": True,
        "secret_recovery_days": 0,
        "orchestrate_command": shlex.join([sys.executable, "-P", "-m", "orchestrator"]),
    }


def _settings(environ: Mapping[str, str], where: str) -> str:
    """An orchestrate.toml with where the sites of this cloud are found."""
    import tomlkit

    from orchestrator.settings import SETTINGS

    document = tomlkit.document()
    document.add(tomlkit.comment(f"A stack on a local cloud: {where}."))
    document.add(tomlkit.comment('What AWS is, is said by: eval "$(orchestrate local env)"'))
    for setting in SETTINGS.values():
        if setting.variable in environ:
            value = environ[setting.variable]
            document.add(setting.name, int(value) if value.isdigit() else value)
    return tomlkit.dumps(document)


def _first(outcome: Outcome, then: Callable[[], Outcome]) -> Outcome:
    return outcome if outcome.status else then()


def _shown(command: str, stack: StackRef, work: Callable[..., Outcome]) -> None:
    """What it does there, shown as the command shows it; ends the process where it fails."""
    from orchestrator.cli.edge import listen, user
    from orchestrator.cli.renderers import OutputOptions
    from orchestrator.cli.standard_output import StandardOutput
    from orchestrator.workflows.caller import Caller, Cancellation

    cancellation = Cancellation()
    listen(cancellation.request)
    options = OutputOptions(title=command, directory=stack.directory, usual=dict)  # nobody has done it here before
    output = StandardOutput(lambda: datetime.now(UTC), options)
    caller = Caller(text=output.text, cancellation=cancellation, user=user(), words=(command,))
    try:
        outcome = work(emit=output.emit, caller=caller)
    finally:
        output.close()
    if outcome.status:
        sys.exit(outcome.status)
