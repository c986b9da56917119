"""The Dockerfile: small, not root's, of what the clone has. Its steps are run by `make image-rehearsal`."""

from __future__ import annotations

import json
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).resolve().parents[3]
STEPS = [
    (step["instruction"], step["value"])
    for step in DockerfileParser(str(ROOT / "Dockerfile")).structure
    if step["instruction"] != "COMMENT"
]
LAST = max(at for at, (kind, _) in enumerate(STEPS) if kind == "FROM")


def test_the_image_is_debian_with_what_the_build_stage_made() -> None:
    assert [value for kind, value in STEPS if kind == "FROM"] == ["debian:trixie-slim AS build", "debian:trixie-slim"]
    taken = [value for kind, value in STEPS[LAST:] if kind == "COPY"]
    assert [value.split()[0] for value in taken] == ["--from=build"] * len(taken)
    for program in ("/opt/orchestrate", "terraform", "session-manager-plugin"):
        assert any(value.endswith(program) for value in taken), program


def test_it_does_not_run_as_root() -> None:
    last = dict(STEPS[LAST:])
    assert (last["USER"], json.loads(last["ENTRYPOINT"])) == ("10001", ["orchestrate"])
    assert any("useradd --uid 10001" in value for kind, value in STEPS[LAST:] if kind == "RUN")


def test_what_is_copied_is_there() -> None:
    sources = [word for kind, value in STEPS[:LAST] if kind == "COPY" for word in value.split()[:-1]]
    assert "constraints.txt" in sources
    assert [one for one in sources if not (ROOT / one).exists()] == []
