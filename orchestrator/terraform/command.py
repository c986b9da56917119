"""Command lines, built by python-terraform, and the environment they run in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

FLAG = object()
"""The value of an option that takes none (`-json`)."""

Options = Mapping[str, object]

_AUTOMATION = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


@cache
def _builder_class() -> type[Any]:
    import python_terraform  # noqa: PLC0415 - only those who run terraform pay for it

    class Builder(python_terraform.Terraform):  # type: ignore[misc, unused-ignore]
        """python-terraform's command building alone: its own way of running loses signals, progress and files."""

        flag = python_terraform.IsFlagged

        def read_state_file(self, file_path: object = None) -> None:
            """Do not read the state: it holds secrets, and building a command needs none of it."""

        def cmd(self, cmd: str, *_args: object, **_kwargs: object) -> None:
            """Never run anything: `orchestrator.terraform.process` does."""
            raise AssertionError(f"python-terraform was asked to run {cmd!r}")

    return Builder


def build(binary: str, verb: str, options: Options, arguments: Sequence[str] = ()) -> list[str]:
    """The argv of `BINARY VERB -option=value … ARGUMENT …`.

    A list repeats its option, None leaves it out, FLAG gives it no value. Mappings are refused: python-terraform
    would write them to a file that nobody deletes.
    """
    builder = _builder_class()(terraform_bin_path=binary)
    ready: dict[str, object] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            raise TypeError(f"-{name} can't be given as a mapping")
        ready[name] = builder.flag if value is FLAG else list(value) if isinstance(value, tuple) else value
    argv: list[str] = builder.generate_cmd_string(verb, *arguments, **ready)
    return argv


def environment_for(verb: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: no questions, no update check, and only the TF_CLI_ARGS that belong to the verb.

    An operator's TF_CLI_ARGS_init (`-backend-config=…`), _plan and _apply keep working; what we only read
    (`output`, `show`, `version`, `workspace`) takes none, because they would change what is printed.
    """
    kept = {f"TF_CLI_ARGS_{verb}"} if verb in {"init", "plan", "apply"} else set()
    mine = {name: value for name, value in environment.items() if not name.startswith("TF_CLI_ARGS") or name in kept}
    return mine | _AUTOMATION
