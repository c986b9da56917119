"""Settings: flag > environment (`ORCHESTRATE_*`) > `orchestrate.toml` > default, and which one won."""

from __future__ import annotations

import re
import reprlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.engine.clock import duration
from orchestrator.errors import Invalid, Problem, meant
from orchestrator.stack import mapping_place
from orchestrator.stack.ownership import PartKind, part

if TYPE_CHECKING:
    from orchestrator.notices.table import NoticeSettings

FILE = mapping_place.FILE
CONTRACT = mapping_place.CONTRACT
NOTIFY = "notify"
PREFIX = "ORCHESTRATE_"


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of value is written."""

    metavar: str
    read: Callable[[Any], Any]
    """Turns text (or TOML's value) into the value, raising ValueError with the reason."""
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "minLength": 1})
    """The JSON schema of what may stand in the file."""
    write: Callable[[Any], str] = str
    """Gives a value as one would write it behind its flag."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    help: str
    form: Form
    default: Any = None
    many: bool = False
    """Whether its flag may be given again and again."""

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper().replace("-", "_")

    def written(self, value: Any) -> str:
        """A value as one would write it behind its flag; empty for none."""
        return "" if value in (None, (), {}) else self.form.write(value)


@dataclass(frozen=True, slots=True)
class ChosenSetting:
    """A setting's value and where it came from."""

    value: Any
    source: str


def _brief(value: Any) -> str:
    """The value as it may stand in a message: no control characters, and not all of a large one."""
    return reprlib.repr(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it must be a string that isn't empty")
    return value


def _seconds(value: Any) -> float:
    seconds = _any_seconds(value)
    if not 0 < seconds < 7 * 86400:
        raise ValueError(f"{_brief(value)} is not between 0 and a week")
    return seconds


def _seconds_or_none(value: Any) -> float:
    return 0.0 if _any_seconds(value) == 0 else _seconds(value)


def _any_seconds(value: Any) -> float:
    """Of a number, or a text like `90`, `1.5` or `1h30m`."""
    with suppress(TypeError, ValueError, OverflowError):
        return float(value)
    with suppress(ValueError):
        return duration(_text(value)).total_seconds()
    raise ValueError(f"{_brief(value)} is not a duration: write seconds (90), or 90s, 10m, 1h30m")


def _path(value: Any) -> Path:
    if "\0" in _text(value):
        raise ValueError("a path can't contain a NUL")
    return Path(value).expanduser()


def _folder(value: Any) -> Path:
    path = _path(value)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{str(path)!r} is not a folder")
    return path


def _port(value: Any) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError, OverflowError):
        port = 0
    if not 1 <= port <= 65535:
        raise ValueError(f"{_brief(value)} is not a port")
    return port


def _address(value: Any) -> tuple[str, int]:
    host, separator, port = _text(value).rpartition(":")
    if not separator or not host:
        raise ValueError(f"{_brief(value)} is not of the form ADDRESS:PORT")
    return host.strip("[]"), _port(port)


def _object(value: Any) -> tuple[str, str]:
    """`s3://BUCKET/KEY`."""
    bucket, _, key = _text(value).removeprefix("s3://").partition("/")
    if not value.startswith("s3://") or not bucket or not key or key.endswith("/"):
        raise ValueError(f"{_brief(value)} is not of the form s3://BUCKET/KEY")
    return bucket, key


def _file(value: Any) -> Path:
    path = _path(value)
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    return path


def _step_timeouts(value: Any) -> Mapping[str, float]:
    """`services=15m,runner=60` or a TOML table."""
    if isinstance(value, Mapping):
        return {name: _seconds(seconds) for name, seconds in value.items()}
    pairs = [part.partition("=") for part in _text(value).split(",")]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise ValueError(f"{_brief(value)} is not of the form STEP=DURATION,…")
    return {name.strip(): _seconds(seconds) for name, _, seconds in pairs}


def _parts(value: Any) -> tuple[str, ...]:
    """`KIND:ID,…` or a TOML list of them."""
    names = [_text(one).strip() for one in (value if isinstance(value, list) else _text(value).split(","))]
    for name in names:
        if part(name) is None:
            kinds = ", ".join(kind.value for kind in PartKind)
            raise ValueError(f"{_brief(name)} is not of the form KIND:ID, with one of the kinds {kinds}")
    return tuple(names)


def _role(value: Any) -> str:
    if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+", _text(value)):
        raise ValueError(f"{_brief(value)} is not a role's ARN, arn:PARTITION:iam::ACCOUNT:role/NAME")
    return str(value)


def _transport(value: Any) -> str:
    if value not in ("ssm", "direct"):
        raise ValueError(f"{_brief(value)} is neither ssm nor direct")
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    """`a,b`, or a list of texts."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError(f"{_brief(value)} is not of the form NAME,…")
    return tuple(part.strip() for part in parts)


def _pairs(value: Mapping[str, float]) -> str:
    return ",".join(f"{name}={seconds:g}" for name, seconds in value.items())


_DURATION_SCHEMA = {"type": ["number", "string"], "minimum": 0, "examples": ["10m", "1h30m", 90]}
_NAMES_SCHEMA = {"oneOf": [{"type": "array", "items": {"type": "string", "minLength": 1}}, {"type": "string"}]}

_TEXT = Form("TEXT", _text)
_DURATION = Form("DURATION", _seconds, _DURATION_SCHEMA, "{:g}".format)
_DURATION_OR_NONE = Form("DURATION", _seconds_or_none, _DURATION_SCHEMA, "{:g}".format)
_DURATIONS = Form(
    "STEP=DURATION,…",
    _step_timeouts,
    {"oneOf": [{"type": "object", "additionalProperties": _DURATION_SCHEMA}, {"type": "string"}]},
    _pairs,
)
_FOLDER = Form("FOLDER", _folder)
_FILE = Form("FILE", _file)
_PORT = Form("PORT", _port, {"type": ["integer", "string"], "minimum": 1, "maximum": 65535})
_ADDRESS = Form("ADDRESS:PORT", _address, write=lambda value: f"{value[0]}:{value[1]}")
_OBJECT = Form("s3://BUCKET/KEY", _object, write=lambda value: f"s3://{value[0]}/{value[1]}")
_PARTS = Form("KIND:ID,…", _parts, _NAMES_SCHEMA, ",".join)
_ROLE = Form("ARN", _role)
_NAMES = Form("NAME,…", _names, _NAMES_SCHEMA, ",".join)
_TRANSPORT = Form("ssm|direct", _transport, {"enum": ["ssm", "direct"]})

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("profile", "AWS profile from ~/.aws/config", _TEXT),
        Setting("role", "ARN of a role to assume, with the credentials that count otherwise", _ROLE),
        Setting(
            "database-transport", "how the database is reached: ssm (through the runner) or direct", _TRANSPORT, "ssm"
        ),
        Setting(
            "database-address",
            "where to connect instead, such as a tunnel (with --database-transport direct)",
            _ADDRESS,
        ),
        Setting(
            "database-ca-file", "PEM file with the CAs that sign the database's certificate, instead of RDS's", _FILE
        ),
        Setting("resolver", "DNS resolver to ask, instead of the system's", _ADDRESS),
        Setting("site-port", "port the sites answer on", _PORT, 443),
        Setting("ca-file", "PEM file with the CAs that sign the sites' certificates", _FILE),
        Setting("porkbun-url", "base URL of Porkbun's API", _TEXT, "https://api.porkbun.com/api/json/v3"),
        Setting("timeout", "how long the whole run may take (10m, 1h30m; a plain number is seconds)", _DURATION),
        Setting("step-timeouts", "how long individual steps may take (services=15m,runner=60)", _DURATIONS, {}),
        Setting("journal-dir", "folder for run records, instead of .orchestrate/runs", _FOLDER),
        Setting("reason", "why you run this; kept in the run's record", _TEXT),
        Setting("lock-dir", "folder of the lock (one run at a time per stack), instead of next to the state", _FOLDER),
        Setting("lock", "lock that allows one run at a time per stack, for states kept outside S3", _OBJECT),
        Setting("lock-timeout", "how long to wait for another run on this stack to finish", _DURATION_OR_NONE, 0.0),
        Setting("settle", "how long the newest task must run undisturbed to count as up", _DURATION_OR_NONE, 10.0),
        Setting(
            "adopt-database",
            "existing tenant databases that orchestrate takes over (owner, grants, password)",
            _NAMES,
            (),
            many=True,
        ),
        Setting(
            "rotate-redis-token",
            "replication groups whose token is rotated to the one in their secret if they refuse it",
            _NAMES,
            (),
            many=True,
        ),
        Setting(
            "credentials-wait",
            "how long a run waits for somebody to sign in again when its credentials expire",
            _DURATION_OR_NONE,
            300.0,
        ),
        Setting("backup-bucket", "bucket for backups, instead of STACK-backups-ACCOUNT-RANDOM", _TEXT),
        Setting(
            "owns",
            "resources that belong to this stack alone, although its Terraform state doesn't manage them",
            _PARTS,
            (),
        ),
        Setting("poll", "longest pause between two polls", _DURATION),
    )
}

VARIABLES = {
    "ORCHESTRATE_CONTRACT": "the contract itself: JSON, or base64 of gzipped JSON (what a Terraform hook passes)",
    "ORCHESTRATE_CERTIFICATE": "what `orchestrate certificate` publishes records for (the hook in terraform/ sets it)",
    "ORCHESTRATE_PARENT": "the run around this one: orchestrate sets it for what Terraform starts; otherwise it is "
    "ignored",
    "ORCHESTRATE_FLEET_DATABASE": "where `orchestrate fleet` keeps its orders, instead of `database` in fleet.toml",
    "ORCHESTRATE_DIRECTORY": "Terraform's directory, for hooks/orchestrate.mk",
    "ORCHESTRATE_VAR_FILE": "a var file for every command, for hooks/orchestrate.mk",
    "ORCHESTRATE_FLAGS": "other arguments for every command, for hooks/orchestrate.mk",
    "ORCHESTRATE_PREFIX": "a prefix for the target names, for hooks/orchestrate.mk",
    "ORCHESTRATE_TOOLS": "folder of the local cloud's tools (Terraform, its AWS provider)",
    "ORCHESTRATE_RELEASES_URL": "where the local cloud downloads Terraform from, instead of its publisher",
    "ORCHESTRATE_LOCAL_CLOUD": "set by `orchestrate local env`: the cloud's folder, which `local` finds by it",
    "ORCHESTRATE_LOCAL_OPENSEARCH": "set by the local cloud: where its stand-in for curl finds OpenSearch",
    "ORCHESTRATE_LOCAL_VESPA": "set by the local cloud: where its stand-in tools find Vespa's state",
    "ORCHESTRATE_LOCAL_VESPA_DATA": "set by the local cloud: where its stand-in tools find Vespa's documents",
}
"""The variables that are no setting. Any other `ORCHESTRATE_*` is a mistake."""


class Settings:
    """Every setting with where it came from. Raises `Invalid` with every defect at once."""

    def __init__(
        self,
        flags: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        flags, environment = flags or {}, environment or {}
        problems: list[Problem] = []
        table, file = _table(directory or Path(), problems)
        self.notices: NoticeSettings | None = None
        if NOTIFY in table:
            from orchestrator.notices.table import read  # noqa: PLC0415 - its schema costs more than --help may

            self.notices = read(table[NOTIFY], f"{file}: {NOTIFY}", problems)
        problems += _unknown_variables(environment)
        self._chosen: dict[str, ChosenSetting] = {}
        for name, setting in SETTINGS.items():
            candidates = (
                (flags.get(name.replace("-", "_")), f"--{name}"),
                (environment.get(setting.variable) or None, setting.variable),
                (table.get(name), f"{file}: {name}"),
            )
            self._chosen[name] = _choose(setting, candidates, problems)
        if problems:
            raise Invalid(*problems)

    def __getitem__(self, name: str) -> Any:
        return self._chosen[name].value

    def all(self) -> Mapping[str, ChosenSetting]:
        """Name → value and source."""
        return dict(self._chosen)


def contract_table(directory: Path) -> Mapping[str, Any]:
    """The table `[contract]` of the file: what the contract says (`inference.mapping`). Raises `Invalid`."""
    problems: list[Problem] = []
    table, file = _read(directory, problems)
    said = table.get(CONTRACT, {})
    if not isinstance(said, dict):
        problems.append(Problem("setting-invalid", "it must be a table", f"{file}: {CONTRACT}", f"write [{CONTRACT}]"))
    if problems:
        raise Invalid(*problems)
    return dict(said)


def _read(directory: Path, problems: list[Problem]) -> tuple[Mapping[str, Any], Path]:
    file = directory / FILE
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}, file
    except (OSError, ValueError, RecursionError) as error:
        problems.append(Problem("settings-unreadable", str(error)[:500], str(file), "correct the file"))
        return {}, file
    return table, file


def _table(directory: Path, problems: list[Problem]) -> tuple[Mapping[str, Any], Path]:
    table, file = _read(directory, problems)
    unknown = table.keys() - SETTINGS.keys() - {CONTRACT, NOTIFY}
    problems += [_unknown(key, "setting", str(file), list(SETTINGS)) for key in sorted(unknown)]
    return table, file


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """One that is empty counts as not set, whatever it is called."""
    known = [*(one.variable for one in SETTINGS.values()), *VARIABLES]
    ours = (name for name, value in environment.items() if name.startswith(PREFIX) and value)
    yield from (_unknown(name, "variable", "environment", known) for name in sorted(ours) if name not in known)


def _unknown(name: str, what: str, place: str, known: Sequence[str]) -> Problem:
    prefix = PREFIX if what == "variable" else ""  # which says nothing of how near two names are
    near = meant(name.removeprefix(prefix), (one.removeprefix(prefix) for one in known))
    fix = f"did you mean {prefix}{near}?" if near else f"known {what}s: {', '.join(known)}"
    return Problem("setting-unknown", f"there is no {what} {_brief(name)}", place, fix)


def _choose(setting: Setting, candidates: Sequence[tuple[Any, str]], problems: list[Problem]) -> ChosenSetting:
    """The first candidate that was given; a value that can't be read is a problem, not a reason to take the next."""
    for value, source in candidates:
        if value is not None:
            try:
                return ChosenSetting(setting.form.read(value), source)
            except (ValueError, OSError, RuntimeError) as error:  # of a path: too long, or of an unknown user's home
                problems.append(Problem("setting-invalid", str(error)[:500], source, setting.help))
                return ChosenSetting(setting.default, source)
    return ChosenSetting(setting.default, "default")


def schema() -> Mapping[str, Any]:
    """The JSON schema of the file, for editors. Of `[contract]` it says only that it is a table."""
    from orchestrator.notices.table import schema as of_notices  # noqa: PLC0415 - as above

    known: dict[str, Any] = {CONTRACT: {"type": "object"}, NOTIFY: of_notices()}
    for name, setting in SETTINGS.items():
        known[name] = {"description": setting.help, **setting.form.schema}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE,
        "type": "object",
        "properties": known,
        "additionalProperties": False,
    }
