"""`fleet.toml`: which stacks there are, how each is reached, and how many are worked on at the same time."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orchestrator.errors import Invalid, Problem
from orchestrator.settings import FILE as STACK_FILE

FILE = "fleet.toml"
STATE = Path(".orchestrate") / "fleet.sqlite"
"""The database, beside the file, where no other is named."""
VARIABLE = "ORCHESTRATE_FLEET_DATABASE"
DEPTH = ("*", "*/*")
"""Where stacks are looked for without a file: two folders deep."""
_FIX = "docs/how-to/from-one-stack-to-a-fleet.md shows the file"
_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY_ID", re.IGNORECASE)
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
"""Of a stack: it becomes a part of identifiers, so it holds no colon, slash or blank."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StackEntry(_Table):
    """`[stacks.NAME]`, as it is written."""

    directory: Path = Field(description="Terraform's; relative to the file")
    contract: Path | None = Field(None, description="a contract of its own; relative to the file")
    profile: str | None = Field(None, min_length=1, description="AWS profile, which may assume a role")
    region: str | None = Field(None, min_length=1, description="sets AWS_REGION")
    account: str | None = Field(None, min_length=1, description="stacks of one account and region share AWS's rates")
    labels: Mapping[str, str] = Field(default_factory=dict, description="what --label selects by")
    environment: Mapping[str, str] = Field(default_factory=dict, description="variables, no secrets")


class FleetLimits(_Table):
    """`[limits]`: how many stacks are worked on at the same time."""

    fleet: int = Field(50, ge=1, description="in the whole fleet")
    worker: int = Field(4, ge=1, description="by one worker")
    account: int = Field(4, ge=1, description="in one account and region")


class FleetTable(_Table):
    """The whole file, as it is written."""

    database: str | None = Field(None, pattern=r"^(postgresql://[^:@/]*@?[^@]*|sqlite:///.+)$")
    lease: float = Field(30.0, ge=1.0, le=3600.0, description="seconds of silence after which a worker is dead")
    discover: tuple[str, ...] = Field((), description="patterns of folders; those with an orchestrate.toml are stacks")
    limits: FleetLimits = FleetLimits()
    stacks: Mapping[Name, StackEntry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetStack:
    """One stack, ready to be worked on."""

    name: str
    directory: Path
    contract: Path | None = None
    profile: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str = ""

    @property
    def place(self) -> str:
        """Account and region: whose stacks share AWS's rates."""
        return "/".join((self.account or self.profile or "-", self.environment.get("AWS_REGION", "-")))


@dataclass(frozen=True, slots=True)
class Fleet:
    """All stacks, in the order of the file; where the orders are kept."""

    stacks: tuple[FleetStack, ...]
    database: str
    limits: FleetLimits = field(default_factory=FleetLimits)
    lease: float = 30.0

    @property
    def shared(self) -> bool:
        """Whether several workers can work at the same time: SQLite is one machine's, and one worker's."""
        return self.database.startswith("postgresql")


def read(file: Path, environment: Mapping[str, str]) -> Fleet:
    """The fleet of a file; where there is no fleet.toml, of the folders beside it. Raises `Invalid`: every defect."""
    table = _table(file)
    base = file.absolute().parent
    problems: list[Problem] = []
    written = [_entry(name, one, base, file, problems) for name, one in table.stacks.items()]
    known = {one.directory.resolve() for one in written}
    patterns = table.discover or (() if table.stacks else DEPTH)
    found = [one for one in discovered(base, patterns) if one.directory.resolve() not in known]
    names = [one.name for one in (*written, *found)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        fix = "give one of them a name of its own: [stacks.NAME] with its directory"
        problems.append(Problem("fleet-invalid", f"two stacks are called {name!r}", str(file), fix))
    if not names:
        fix = f"write [stacks.NAME] into {FILE}, or make an {STACK_FILE} in each stack's folder (`orchestrate init`)"
        problems.append(Problem("fleet-empty", "there is no stack in this fleet", str(file), fix))
    if problems:
        raise Invalid(*problems)
    database = environment.get(VARIABLE) or table.database or f"sqlite:///{base / STATE}"
    return Fleet((*written, *found), database, table.limits, table.lease)


def discovered(base: Path, patterns: Sequence[str]) -> Iterator[FleetStack]:
    """Folders with an orchestrate.toml, each named by its path."""
    folders = {file.parent for pattern in patterns for file in base.glob(f"{pattern}/{STACK_FILE}")}
    for folder in sorted(folders):
        yield FleetStack("-".join(folder.relative_to(base).parts), folder)


def _table(file: Path) -> FleetTable:
    try:
        said: Any = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        if file.name == FILE:
            return FleetTable()
        raise Invalid(Problem("fleet-unreadable", str(error.strerror), str(file), "name an existing file")) from None
    except (OSError, ValueError, RecursionError) as error:
        raise Invalid(Problem("fleet-unreadable", str(error)[:500], str(file), "correct the file")) from None
    try:
        return FleetTable.model_validate(said)
    except ValidationError as error:
        raise Invalid(
            *(
                Problem("fleet-invalid", one["msg"], f"{file}: {'.'.join(map(str, one['loc']))}", _FIX)
                for one in error.errors(include_input=False, include_url=False)
            )
        ) from None


def _entry(name: str, said: StackEntry, base: Path, file: Path, problems: list[Problem]) -> FleetStack:
    place = f"{file}: stacks.{name}"
    directory = base / said.directory
    if not directory.is_dir():
        problems.append(Problem("fleet-invalid", f"there is no folder {directory}", f"{place}.directory", _FIX))
    if said.contract and not (base / said.contract).is_file():
        problems.append(Problem("fleet-invalid", f"there is no file {base / said.contract}", f"{place}.contract", _FIX))
    for variable in said.environment:
        if _SECRET.search(variable):
            fix = "name a profile instead: each worker reads its own ~/.aws"
            message = f"{variable} may hold a secret, and this file is committed"
            problems.append(Problem("fleet-secret", message, f"{place}.environment", fix))
    region = {"AWS_REGION": said.region, "AWS_DEFAULT_REGION": said.region} if said.region else {}
    contract = base / said.contract if said.contract else None
    environment = {**region, **said.environment}
    return FleetStack(name, directory, contract, said.profile, said.labels, environment, said.account or "")
