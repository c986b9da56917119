"""What the values of a contract look like, and what its sections have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from orchestrator.stack import patterns

Text = Annotated[str, Field(min_length=1, pattern=patterns.LINE)]
Region = Annotated[str, Field(pattern=patterns.REGION)]
TenantName = Annotated[str, Field(max_length=64, pattern=patterns.TENANT)]
Port = Annotated[int, Field(ge=1, le=65535)]
SitePath = Annotated[str, Field(max_length=1024, pattern=patterns.PATH)]
Listed = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
"""JSON has lists only, and what is frozen holds none."""
Statuses = Annotated[tuple[Annotated[int, Field(ge=200, le=499)], ...], Field(min_length=1), Listed]
Mark = Annotated[str, Field(max_length=1000, pattern=patterns.MARK)]
InstanceId = Annotated[str, Field(pattern=patterns.INSTANCE)]
ClusterName = Annotated[str, Field(pattern=patterns.CLUSTER)]
Arn = Annotated[str, Field(pattern=patterns.ARN)]
SecretPlace = Annotated[str, Field(pattern=patterns.PLACE)]
"""A secret's ARN or a parameter's ARN, or a parameter's name that begins with a slash."""
InMemory = Annotated[SkipJsonSchema[SecretStr | None], Field(exclude=True)]
"""A password that only Terraform's state or variables hold: used, never read from a contract, never written to one."""
PASSWORD_KEY = "password"  # noqa: S105 - the key's name
"""Where a secret's JSON object keeps the password, if nobody says otherwise."""


class Section(BaseModel):
    """A part of the contract: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)
