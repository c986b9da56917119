"""The one container the doubles of docker and curl know: its state is a word in a file of the instance's."""

from __future__ import annotations

import os
from pathlib import Path

STATE = "ORCHESTRATE_LOCAL_VESPA"
"""Environment variable with the state file's path."""
RUNNING, EXITED, ABSENT = "running", "exited", "absent"
SILENT = "silent"
"""The container runs, its config server does not answer."""
UNPULLED = "unpulled"
"""There is no container, and no image to make one from."""
DOCKER_OFF = "docker-off"
"""The docker daemon does not run, and so nothing does."""


def state_file() -> Path:
    """The state file of the instance this runs on."""
    return Path(os.environ[STATE])


def state(file: Path) -> str:
    """`running` until something changed it: user_data has started it."""
    return file.read_text().strip() if file.exists() else RUNNING


def change(file: Path, to: str) -> None:
    """The container is started, stopped or removed."""
    file.write_text(to)
