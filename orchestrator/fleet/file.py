"""`fleet.toml`: which stacks there are, how each is reached, and how many are worked on at the same time."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orchestrator.errors import Invalid, Problem
from orchestrator.fleet.discovery import states_under
from orchestrator.notices.table import NoticeSettings
from orchestrator.notices.table import read as read_notices
from orchestrator.settings import FILE as STACK_FILE

FILE = "fleet.toml"
STATE = Path(".orchestrate") / "fleet.sqlite"
"""The database, beside the file, where no other is named."""
VARIABLE = "ORCHESTRATE_FLEET_DATABASE"
States = Callable[[str, Mapping[str, str]], Iterable[str]]
"""An S3 prefix and the environment → the keys under it."""
DEPTH = ("*", "*/*")
"""Where stacks are looked for without a file: two folders deep."""
RECORDS = Path(".orchestrate") / "stacks"
"""The folders, beside the file, of stacks that have none: their runs' records are there."""
S3 = "s3://"
_STATE_ENDS = ".tfstate"
_FIX = "docs/how-to/from-one-stack-to-a-fleet.md shows the file"
_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY_ID", re.IGNORECASE)
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
"""Of a stack: it becomes a part of identifiers, so it holds no colon, slash or blank."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class StackEntry(_Table):
    """`[stacks.NAME]`, as it is written."""

    directory: Path | None = Field(None, description="Terraform's; relative to the file")
    contract: str | None = Field(
        None, min_length=1, description="a contract, or a state with the output: a file, or s3://BUCKET/KEY"
    )
    profile: str | None = Field(None, min_length=1, description="AWS profile, which may assume a role")
    role: str | None = Field(None, pattern=r"^arn:[\w-]+:iam::\d{12}:role/.+$", description="each worker assumes it")
    region: str | None = Field(None, min_length=1, description="sets AWS_REGION")
    account: str | None = Field(None, min_length=1, description="stacks of one account and region share AWS's rates")
    labels: Mapping[str, str] = Field(default_factory=dict, description="what --label selects by")
    environment: Mapping[str, str] = Field(default_factory=dict, description="variables, no secrets")


class FleetLimits(_Table):
    """`[limits]`: how many stacks are worked on at the same time."""

    fleet: int = Field(50, ge=1, description="in the whole fleet")
    worker: int = Field(4, ge=1, description="by one worker")
    account: int = Field(4, ge=1, description="in one account and region")


class WatchLimits(_Table):
    """`[watch]`: how many AWS calls its rounds may make."""

    calls: int | None = Field(None, ge=1, description="in one round and account; stacks beyond it wait for the next")


class FleetTable(_Table):
    """The whole file, as it is written."""

    database: str | None = Field(None, pattern=r"^(postgresql://[^:@/]*@?[^@]*|sqlite:///.+)$")
    lease: float = Field(30.0, ge=1.0, le=3600.0, description="seconds of silence after which a worker is dead")
    discover: tuple[str, ...] = Field(
        (), description="patterns of folders with an orchestrate.toml; s3://BUCKET/PREFIX for the states under it"
    )
    watch: WatchLimits = WatchLimits()
    notify: Mapping[str, Any] = Field(default_factory=dict, description="who hears what `fleet watch` finds")
    limits: FleetLimits = FleetLimits()
    stacks: Mapping[Name, StackEntry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetStack:
    """One stack, ready to be worked on."""

    name: str
    directory: Path
    contract: str | None = None
    profile: str | None = None
    role: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str = ""

    @property
    def place(self) -> str:
        """Account and region: whose stacks share AWS's rates."""
        of_role = self.role.split(":")[4] if self.role else ""
        return "/".join((self.account or of_role or self.profile or "-", self.environment.get("AWS_REGION", "-")))


@dataclass(frozen=True, slots=True)
class Fleet:
    """All stacks, in the order of the file; where the orders are kept."""

    stacks: tuple[FleetStack, ...]
    database: str
    limits: FleetLimits = field(default_factory=FleetLimits)
    lease: float = 30.0
    watch_calls: int | None = None
    """AWS calls that one round of `fleet watch` may make in one account and region; None: as many as it takes."""
    notices: NoticeSettings | None = None
    """Who hears what `fleet watch` finds."""
    folder: Path = Path()
    """The file's."""

    @property
    def shared(self) -> bool:
        """Whether several workers can work at the same time: SQLite is one machine's, and one worker's."""
        return self.database.startswith("postgresql")


def read(file: Path, environment: Mapping[str, str], states: States = states_under) -> Fleet:
    """The fleet of a file; where there is no fleet.toml, of the folders beside it. Raises `Invalid`: every defect.

    `states` lists what is under an S3 prefix.
    """
    table = _table(file)
    base = file.absolute().parent
    problems: list[Problem] = []
    written = [_entry(name, one, base, file, problems) for name, one in table.stacks.items()]
    known = {one.directory.resolve() for one in written} | {one.contract for one in written}
    prefixes = _prefixes(table)
    patterns = [one for one in table.discover if one not in prefixes] if table.discover or table.stacks else DEPTH
    found = [one for one in discovered(base, patterns) if one.directory.resolve() not in known]
    for prefix in prefixes:
        found += [one for one in in_s3(base, prefix, states(prefix, environment)) if one.contract not in known]
    names = [one.name for one in (*written, *found)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        fix = "give one of them a name of its own: [stacks.NAME] with its directory"
        problems.append(Problem("fleet-invalid", f"two stacks are called {name!r}", str(file), fix))
    if not names:
        fix = f"write [stacks.NAME] into {FILE}, or make an {STACK_FILE} in each stack's folder (`orchestrate init`)"
        problems.append(Problem("fleet-empty", "there is no stack in this fleet", str(file), fix))
    notices = read_notices(table.notify, f"{file}: notify", problems) if table.notify else None
    if problems:
        raise Invalid(*problems)
    database = environment.get(VARIABLE) or table.database or f"sqlite:///{base / STATE}"
    return Fleet((*written, *found), database, table.limits, table.lease, table.watch.calls, notices, base)


def reached(file: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The roles of a file's stacks, and the S3 prefixes that it lists, without asking AWS. Raises `Invalid`."""
    table = _table(file)
    roles = {one.role for one in table.stacks.values() if one.role}
    return tuple(sorted(roles)), tuple(_prefixes(table))


def _prefixes(table: FleetTable) -> list[str]:
    return [one for one in table.discover if one.startswith(S3)]


def discovered(base: Path, patterns: Sequence[str]) -> Iterator[FleetStack]:
    """Folders with an orchestrate.toml, each named by its path."""
    folders = {file.parent for pattern in patterns for file in base.glob(f"{pattern}/{STACK_FILE}")}
    for folder in sorted(folders):
        yield FleetStack("-".join(folder.relative_to(base).parts), folder)


def named(path: str) -> str:
    """A stack's name, made of where it is."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path).strip("-._")[:63] or "terraform"


def in_s3(base: Path, prefix: str, keys: Iterable[str]) -> Iterator[FleetStack]:
    """Terraform's states among these keys, each named by its path below the prefix. Pure."""
    bucket, _, under = prefix.removeprefix(S3).partition("/")
    for key in sorted(keys):
        if key.endswith(_STATE_ENDS):
            name = named(key.removeprefix(under).strip("/").removesuffix(_STATE_ENDS).removesuffix("/terraform"))
            yield FleetStack(name, base / RECORDS / name, f"{S3}{bucket}/{key}")


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
    directory = base / said.directory if said.directory else base / RECORDS / name
    if said.directory and not directory.is_dir():
        problems.append(Problem("fleet-invalid", f"there is no folder {directory}", f"{place}.directory", _FIX))
    if not said.directory and not said.contract:
        fix = "name Terraform's `directory`, or a `contract`: a file, or s3://BUCKET/KEY"
        problems.append(Problem("fleet-invalid", "it has neither a directory nor a contract", place, fix))
    for variable in said.environment:
        if _SECRET.search(variable):
            fix = "name a profile or a role instead: each worker reads its own ~/.aws"
            message = f"{variable} may hold a secret, and this file is committed"
            problems.append(Problem("fleet-secret", message, f"{place}.environment", fix))
    region = {"AWS_REGION": said.region, "AWS_DEFAULT_REGION": said.region} if said.region else {}
    return FleetStack(
        name,
        directory,
        _contract(said.contract, base, place, problems),
        said.profile,
        said.role,
        said.labels,
        {**region, **said.environment},
        said.account or "",
    )


def _contract(said: str | None, base: Path, place: str, problems: list[Problem]) -> str | None:
    """The file's whole path, or the URL."""
    if said is None or said.startswith(S3):
        if said is not None and not all(said.removeprefix(S3).partition("/")):
            problems.append(Problem("fleet-invalid", f"{said!r} is not an s3://BUCKET/KEY", f"{place}.contract", _FIX))
        return said
    if not (base / said).is_file():
        problems.append(Problem("fleet-invalid", f"there is no file {base / said}", f"{place}.contract", _FIX))
    return str(base / said)
