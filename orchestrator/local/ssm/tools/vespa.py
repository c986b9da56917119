"""Vespa's documents: a JSON file under /opt/vespa, which is on the instance's data volume where it has one.

It holds path of the document (`NAMESPACE/TYPE/docid/ID`) → its fields.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

DATA = "ORCHESTRATE_LOCAL_VESPA_DATA"
"""Environment variable with the folder that /opt/vespa is."""

Documents = dict[str, dict[str, Any]]


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
