"""The master password that RDS manages in Secrets Manager.

moto: every secret says admin / P@55w0rd!, and a rotation
empties the secret. AWS: a random password that the server really has, and a new one at each rotation.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from moto.rds.models import MasterUserSecret

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace


def install(_cloud: Cloud) -> None:
    """The server behind the instance gets the password from `rds.moto`, when it is created or changed."""

    def fresh_credentials(self: Any) -> str:
        self.resource.master_user_password = secrets.token_urlsafe(24)
        password = self.resource._master_user_password
        return json.dumps({"username": self.resource.master_username, "password": password})

    def rotate(self: Any) -> None:
        self._status = "rotating"
        self.secretsmanager.put_secret_value(self.secret.arn, fresh_credentials(self), None, None, ["AWSCURRENT"])

    replace(MasterUserSecret, _generate_secret_string=fresh_credentials, rotate_secret=rotate)
