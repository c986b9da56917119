"""AWS's session-manager-plugin: the program that holds the other end of an SSM session, started as the AWS CLI does.

The answer of StartSession goes to it in an environment variable, as AWS CLI does for plugins from 1.2.536 on: the
session's token in an argument would be readable by everybody on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from orchestrator.errors import Invalid, Problem

PROGRAM = "session-manager-plugin"
RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"
"""Where the plugin looks for the answer when this is its first argument."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """The program, in the environment it is started with."""

    path: str
    environment: Mapping[str, str]

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> Plugin:
        """Raises `Invalid` when it is not installed."""
        path = shutil.which(PROGRAM, path=environment.get("PATH"))
        if path is None:
            fix = "install it (AWS: 'Install the Session Manager plugin for the AWS CLI'), 1.2.536 or newer"
            raise Invalid(Problem("session-plugin-missing", f"there is no {PROGRAM} on PATH", "shell", fix))
        return cls(path, environment)

    def become(self, response: Mapping[str, str], argv: list[str]) -> NoReturn:
        """Replace this process by it. Raises OSError when that can't be."""
        told = {**self.environment, RESPONSE: json.dumps(dict(response))}
        os.execve(self.path, argv, told)  # noqa: S606 - no shell is wanted: it is the program itself


def arguments(instance: str, *, region: str, profile: str, endpoint: str) -> list[str]:
    """As the AWS CLI hands them over: where the answer is, region, operation, profile, request, endpoint."""
    return [PROGRAM, RESPONSE, region, "StartSession", profile, json.dumps({"Target": instance}), endpoint]
