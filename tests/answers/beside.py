"""moto as it comes, without our corrections: the same stack, the same questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3

from orchestrator.local import world
from tests.answers.compared import Lacking, lacking

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
}


def of_moto(set_variable: Callable[[str, str], None]) -> Lacking:
    """What its answers lack. In this process, which talks to nobody meanwhile."""
    for name, value in SETTINGS.items():
        set_variable(name, value)
    import moto  # noqa: PLC0415 - it reads its settings when it is imported

    with moto.mock_aws():
        session = boto3.Session(region_name="us-west-2")
        contract = world.build(session)
        clients: Any = session.client
        return lacking(clients, contract)
