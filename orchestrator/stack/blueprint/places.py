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

    def __init__(self, directory: Path | None, data: Path | None = None) -> None:
        """`data` is Terraform's own folder (TF_DATA_DIR), where it isn't `.terraform` in the directory."""
        self._directory = directory
        self._data = data
        self._files: dict[Path, list[tuple[str, str, int]]] = {}

    def of(self, resource: Resource) -> str:
        """`file:line`, relative to the directory where it is below it; empty where it can't be found."""
        if self._directory is None:
            return ""
        folder = self._folders.get(".".join(module_path(resource.module)))
        for file in sorted((self._directory / folder).glob("*.tf")) if folder is not None else ():
            for kind, name, line in self._blocks(file):
                if f"{kind}.{name}" == resource.written:
                    return f"{_shown(file, self._directory)}:{line}"
        return ""

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        """Folder by the module's names joined by dots; the root's is here."""
        if self._directory is None:
            return {}
        data = self._data or self._directory / ".terraform"
        try:
            said = json.loads((data / "modules" / "modules.json").read_text(encoding="utf-8-sig"))
        except (OSError, ValueError):
            said = None
        modules = said.get("Modules") if isinstance(said, dict) else None
        listed = [one for one in modules if isinstance(one, dict)] if isinstance(modules, list) else []
        texts = ((one.get("Key"), one.get("Dir")) for one in listed)
        return {"": "."} | {key: folder for key, folder in texts if isinstance(key, str) and isinstance(folder, str)}

    def _blocks(self, file: Path) -> list[tuple[str, str, int]]:
        """Type, name and line of each resource of a file."""
        if file not in self._files:
            self._files[file] = _resources_in(file)
        return self._files[file]


def _shown(file: Path, directory: Path) -> Path:
    """A module may lie anywhere: `terraform init` writes absolute folders down as they are."""
    return file.relative_to(directory) if file.is_relative_to(directory) else file


def _resources_in(file: Path) -> list[tuple[str, str, int]]:
    """A block's labels and its brace stand on one line (HCL's grammar), so that a line is all there is to look at.

    No parser: hcl2 takes half a second to load, ten times what the whole checklist does.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    met = ((_BLOCK.match(line), number) for number, line in enumerate(lines, start=1))
    return [(found["type"], found["name"], number) for found, number in met if found]
