"""Which program runs: Terraform or OpenTofu, and whether it is new enough."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import Invalid, Problem

MINIMUM = (1, 11)
"""The first minor release with write-only arguments: Terraform's 1.11 and OpenTofu's 1.11 alike."""

_INSTALL = "install Terraform >= 1.11 or OpenTofu >= 1.11 and put it on PATH, or set TERRAFORM_BIN to it"


@dataclass(frozen=True, slots=True)
class Version:
    """What `version -json` said. Both products call their field `terraform_version`; `product` is the file's name."""

    product: str
    number: str

    def __str__(self) -> str:
        return f"{self.product} {self.number}"


def find(environment: Mapping[str, str]) -> str:
    """The absolute path of the program: TERRAFORM_BIN, else `terraform`, else `tofu`, all sought on PATH.

    Raises `Invalid` (`terraform-missing`).
    """
    chosen = environment.get("TERRAFORM_BIN", "")
    for name in [chosen] if chosen else ["terraform", "tofu"]:
        if found := shutil.which(name, path=environment.get("PATH")):
            return str(Path(found).absolute())
    said = (
        f"TERRAFORM_BIN names {chosen!r}, which is not a program" if chosen else "neither terraform nor tofu is on PATH"
    )
    raise Invalid(Problem("terraform-missing", said, fix=_INSTALL))


def judge(binary: str, answer: Mapping[str, Any]) -> Version:
    """The version in `version -json`'s answer. Raises `Invalid` (`terraform-too-old`) below `MINIMUM`."""
    product = "tofu" if "tofu" in Path(binary).name else "terraform"
    version = Version(product, str(answer.get("terraform_version", "")))
    numbers = re.match(r"(\d+)\.(\d+)", version.number)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM:
        least = ".".join(map(str, MINIMUM))
        raise Invalid(
            Problem(
                "terraform-too-old",
                f"{product} {version.number or 'of an unknown version'} has no write-only arguments: "
                f"passwords would be kept in the state; {least} or later is needed",
                context=binary,
                fix=_INSTALL,
            )
        )
    return version
