"""`[notify]` in orchestrate.toml: who is told when a run has ended.

An address or key may be a secret (a Slack webhook's is), and the file is committed: so each may name a variable,
`env:NAME`, and a key must.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from orchestrator.errors import Outcome, Problem

_ENV = "env:"
_ADDRESS = r"^(https?://\S+|env:[A-Za-z_][A-Za-z0-9_]*)$"
_VARIABLE = r"^env:[A-Za-z_][A-Za-z0-9_]*$"

Address = Annotated[str, StringConstraints(pattern=_ADDRESS)]
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]
_FORMS = {_ADDRESS: "https://… or env:NAME", _VARIABLE: "env:NAME (the variable that holds it)"}


class NoticeSettings(BaseModel):
    """The table, as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    on: tuple[str, ...] = Field((), description="outcomes to report; empty: all")
    webhook: Address | None = Field(None, description="gets the run as JSON by POST")
    webhook_key: Variable | None = Field(None, alias="webhook-key", description="signs what the webhook gets")
    slack: Address | None = Field(None, description="gets a message in the format of Slack's incoming webhooks")
    command: tuple[str, ...] = Field((), description="runs with the run as JSON on its standard input")

    @model_validator(mode="after")
    def _known(self) -> NoticeSettings:
        words = {one.word for one in Outcome}
        unknown = [word for word in self.on if word not in words]
        if unknown:
            raise ValueError(f"on: {unknown[0]!r} is not an outcome; the outcomes are {', '.join(sorted(words))}")
        if self.webhook_key is not None and self.webhook is None:
            raise ValueError("webhook-key: there is no webhook to sign for")
        return self


def read(said: Any, place: str, problems: list[Problem]) -> NoticeSettings | None:
    """The table's value; None, and every defect among the problems, when it has some."""
    try:
        return NoticeSettings.model_validate(said)
    except ValidationError as error:
        fix = "docs/reference/settings.md has the table `[notify]`"
        problems += [
            Problem("notify-invalid", _words(one), ".".join((place, *map(str, one["loc"]))), fix)
            for one in error.errors(include_input=False, include_url=False)
        ]
        return None


def _words(error: Mapping[str, Any]) -> str:
    """Never the value itself: it may be a secret."""
    if error["type"] == "string_pattern_mismatch":
        return f"it must be {_FORMS[error['ctx']['pattern']]}"
    return str(error["msg"]).removeprefix("Value error, ")


@dataclass(frozen=True, slots=True)
class NoticeTargets:
    """Who is told, with the variables filled in; `missing` are those that are not set."""

    webhook: str = ""
    webhook_key: str = ""
    slack: str = ""
    command: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def targets(settings: NoticeSettings, environment: Mapping[str, str]) -> NoticeTargets:
    """What stands behind the names of variables."""
    missing = []

    def value(written: str | None) -> str:
        if written is None or not written.startswith(_ENV):
            return written or ""
        name = written.removeprefix(_ENV)
        if not environment.get(name):
            missing.append(name)
        return environment.get(name, "")

    webhook, key, slack = value(settings.webhook), value(settings.webhook_key), value(settings.slack)
    if settings.webhook_key is not None and not key:
        webhook = ""  # what should be signed is not sent unsigned
    return NoticeTargets(webhook, key, slack, settings.command, tuple(missing))


def schema() -> Mapping[str, Any]:
    """The JSON schema of the table, for editors."""
    return NoticeSettings.model_json_schema(by_alias=True)
