"""Called by the small stack's provisioners: `build FILE`, `destroy FILE`. The cloud is the environment's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import boto3

from orchestrator.local import world


def main(verb: str, file: Path) -> None:
    session = boto3.Session()
    if verb == "destroy":
        if file.exists():
            world.tear_down(session, json.loads(file.read_text()))
        return
    given, snapshots = json.loads(os.environ["GIVEN"]), json.loads(os.environ["SNAPSHOTS"])
    made = world.build(
        session,
        name=given["name"],
        tenants=sorted(given["hostnames"]),
        hostnames=given["hostnames"],
        snapshots=world.Snapshots(snapshots["database"], snapshots["indexes"]),
    )
    file.write_text(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
