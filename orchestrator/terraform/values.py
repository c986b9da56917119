"""The value of a root module's variable, as files and the environment give it: for passwords that are nowhere else.

Left out: `-var` and `-var-file` of another command, TF_CLI_ARGS, values that are no plain string.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def value_of(name: str, directory: Path, environment: Mapping[str, str]) -> str | None:
    """By Terraform's precedence: TF_VAR_name, terraform.tfvars, terraform.tfvars.json, *.auto.tfvars in their order.

    A file that can't be read gives nothing: Terraform itself says what is wrong with it.
    """
    found = environment.get(f"TF_VAR_{name}")
    automatic = sorted((*directory.glob("*.auto.tfvars"), *directory.glob("*.auto.tfvars.json")))
    for file in (directory / "terraform.tfvars", directory / "terraform.tfvars.json", *automatic):
        said = _values(file).get(name)
        if isinstance(said, str):
            found = said
    return found


def _values(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    if file.suffix == ".json":
        try:
            said = json.loads(text)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}
    return _hcl(text)


def _hcl(text: str) -> Mapping[str, Any]:
    import hcl2  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - half a second, for who has such a variable
    from lark.exceptions import LarkError  # noqa: PLC0415 - comes with hcl2

    try:
        said: dict[str, Any] = hcl2.loads(text)
    except LarkError:
        return {}
    return {name: _unquoted(value) for name, value in said.items()}


def _unquoted(value: Any) -> Any:
    """hcl2 keeps the quotes of strings, whose escapes are JSON's; what isn't so (a heredoc) is no plain string."""
    try:
        return json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
