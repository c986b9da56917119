"""The one container the doubles of docker and curl know: its state is a word in a file of the instance's.

Its documents are a JSON file under /opt/vespa, which is on the instance's data volume where it has one: path of the
document (`NAMESPACE/TYPE/docid/ID`) → its fields.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STATE = "ORCHESTRATE_LOCAL_VESPA"
"""Environment variable with the state file's path."""
DATA = "ORCHESTRATE_LOCAL_VESPA_DATA"
"""Environment variable with the folder that /opt/vespa is."""
RUNNING, EXITED, ABSENT = "running", "exited", "absent"

Documents = dict[str, dict[str, Any]]


def state_file() -> Path:
    """The state file of the instance this runs on."""
    return Path(os.environ[STATE])


def state(file: Path) -> str:
    """`running` until something changed it: user_data has started it."""
    return file.read_text().strip() if file.exists() else RUNNING


def change(file: Path, to: str) -> None:
    """The container is started, stopped or removed."""
    file.write_text(to)


def documents() -> Documents:
    """What is in the index."""
    file = _documents_file()
    return dict(json.loads(file.read_text())) if file.exists() else {}


def keep(found: Documents) -> None:
    """The index holds these from now on."""
    file = _documents_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(found, sort_keys=True))
    draft.replace(file)


def _documents_file() -> Path:
    return Path(os.environ[DATA]) / "var" / "documents.json"
