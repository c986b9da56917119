"""Where in the configuration's files a resource is written: `modules/postgres/main.tf:21`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from orchestrator.stack.blueprint.references import module_path
from orchestrator.stack.blueprint.resources import Resource

_BLOCK = re.compile(r'\s*resource\s+"(?P<type>[^"]+)"\s+"(?P<name>[^"]+)"\s*\{')


class Places:
    """The files below Terraform's directory, read when first asked; without files nothing is found.

    A module's folder is what `terraform init` wrote down (.terraform/modules/modules.json), registry modules too.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._files: dict[Path, list[tuple[str, str, int]]] = {}

    def of(self, resource: Resource) -> str:
        """`file:line`, relative to the directory; empty where it can't be found."""
        if self._directory is None:
            return ""
        folder = self._folders.get(".".join(module_path(resource.module)))
        for file in sorted((self._directory / folder).glob("*.tf")) if folder is not None else ():
            for kind, name, line in self._blocks(file):
                if (kind, name) == (resource.type, resource.name):
                    return f"{file.relative_to(self._directory)}:{line}"
        return ""

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        """Folder by the module's names joined by dots; the root's is here."""
        if self._directory is None:
            return {}
        try:
            said = json.loads((self._directory / ".terraform" / "modules" / "modules.json").read_text(encoding="utf-8"))
            return {"": "."} | {one["Key"]: one["Dir"] for one in said["Modules"] if one.get("Dir")}
        except (OSError, ValueError, KeyError, TypeError):
            return {"": "."}

    def _blocks(self, file: Path) -> list[tuple[str, str, int]]:
        """Type, name and line of each resource of a file."""
        if file not in self._files:
            self._files[file] = _resources_in(file)
        return self._files[file]


def _resources_in(file: Path) -> list[tuple[str, str, int]]:
    """A block's labels and its brace stand on one line (HCL's grammar), so that a line is all there is to look at.

    No parser: hcl2 takes half a second to load, ten times what the whole checklist does.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    met = ((_BLOCK.match(line), number) for number, line in enumerate(lines, start=1))
    return [(found["type"], found["name"], number) for found, number in met if found]
