"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import complete
from orchestrator.cli.shape import option
from orchestrator.settings import SETTINGS, Setting

if TYPE_CHECKING:
    from orchestrator.workflows import PlanOptions

Command = Callable[..., Any]


def _sentence(setting: Setting) -> str:
    default = setting.written(setting.default)
    return f"{setting.help[0].upper()}{setting.help[1:]}.{f' [default: {default}]' if default else ''}"


_setting = partial(option, section="Settings")
_selection = partial(option, section="Which steps and tenants")
_terraform = partial(option, section="Terraform")
_shown = partial(option, section="What is shown")

_SETTINGS = tuple(
    _setting(
        f"--{name}",
        multiple=setting.many,
        metavar=setting.form.metavar,
        shell_complete=complete.profiles if name == "profile" else None,
        help=_sentence(setting),
    )
    for name, setting in SETTINGS.items()
)
_SELECTION = (
    _selection(
        "--tenant",
        "tenants",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.tenants,
        help="Only this tenant (repeatable).",
    ),
    _selection(
        "--only", multiple=True, metavar="STEP", shell_complete=complete.steps, help="Only this step (repeatable)."
    ),
    _selection(
        "--skip", multiple=True, metavar="STEP", shell_complete=complete.steps, help="Skip this step (repeatable)."
    ),
    _selection(
        "--allow-zero",
        is_flag=True,
        help="Count a service that is scaled to 0 as up.",
    ),
)
_COMMON = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output."),
    click.option(
        "--chdir",
        "directory",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        default=Path(),
        help="Terraform's directory [default: here].",
    ),
)
_LOG = (
    _shown(
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="text: plain lines, even on GitHub Actions and GitLab; json: same as --json [default: lines, with "
        "groups and annotations on GitHub Actions and GitLab].",
    ),
    _shown(
        "--quiet", "verbosity", flag_value="quiet", help="Hide progress: print only failures, findings and the outcome."
    ),
    _shown("--verbose", "verbosity", flag_value="verbose", help="Also say when each step begins."),
    _shown("--debug", is_flag=True, help="Also write each AWS request to standard error, without secrets."),
)
_TERRAFORM = (
    _terraform("-var", "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Terraform's -var."),
    _terraform(
        "-var-file",
        "--var-file",
        "var_files",
        multiple=True,
        metavar="FILE",
        help="Terraform's -var-file.",
    ),
    _terraform(
        "-target",
        "--target",
        "targets",
        multiple=True,
        metavar="ADDRESS",
        help="Terraform's -target.",
    ),
    _terraform(
        "-replace",
        "--replace",
        "replaces",
        multiple=True,
        metavar="ADDRESS",
        help="Terraform's -replace.",
    ),
)


def _all(options: tuple[Command, ...]) -> Command:
    def decorate(command: Command) -> Command:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate


_CARE = (
    _selection(
        "--canary",
        "canaries",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.tenants,
        help="Start with this tenant; the others follow only if it comes up (repeatable).",
    ),
    _selection(
        "--max-parallel",
        type=click.IntRange(min=1),
        metavar="N",
        help="Change at most this many tenants at a time [default: as many as may fail, else all].",
    ),
    _selection(
        "--stop-after-failures",
        type=click.IntRange(min=1),
        metavar="N",
        help="Start no further tenant once this many have failed.",
    ),
)
_ADOPT = click.option("--adopt", is_flag=True, help="Replace DNS records that aren't recognizably this stack's.")
_NEW_DATABASE = click.option(
    "--new-database",
    "new_databases",
    multiple=True,
    metavar="NAME",
    help="Create this tenant's database empty even though the old one may exist under another name (repeatable).",
)

place_options = _all(_COMMON)
run_options = _all((*_COMMON, *_LOG))
directory_option = _COMMON[1]
settings_options = _all(_SETTINGS)
care_options = _all(_CARE)
steps_options = _all((*_SELECTION, _ADOPT, _NEW_DATABASE, *_COMMON, *_LOG, *_SETTINGS))
certificate_options = _all((*_COMMON, *_LOG, *_SETTINGS))
dns_options = _all((_SELECTION[0], _ADOPT, *_COMMON, *_LOG, *_SETTINGS))
terraform_options = _all(_TERRAFORM)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="Print text, JSON lines (like --json), or Markdown for a merge request comment.",
)
output_option = _shown(
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="Print a table, or one document with a stable structure.",
)
page_option = _shown(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write it as one self-contained HTML page, with a map of each tenant's path from DNS to data.",
)
tenant_option = _SELECTION[0]
contract_option = click.option(
    "--contract", metavar="FILE", help="Read the contract from this file or s3://BUCKET/KEY (-: standard input)."
)


def chosen_steps(given: Mapping[str, Any]) -> dict[str, Any]:
    """Which steps and tenants, of what click read: not every command has each of these options."""
    names = (
        *("tenants", "only", "skip", "adopt", "allow_zero", "new_databases"),
        *("canaries", "max_parallel", "stop_after_failures"),
    )
    return {name: given[name] for name in names if name in given}


def plan_options(given: Mapping[str, Any]) -> PlanOptions:
    """Terraform's own flags."""
    from orchestrator.workflows import PlanOptions

    return PlanOptions(
        variables=given["variables"],
        var_files=given["var_files"],
        targets=given["targets"],
        replaces=given["replaces"],
    )
