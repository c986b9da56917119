"""What `aws`, `terraform`, `psql` and `orchestrate` need in their environment to talk to a local cloud."""

from __future__ import annotations

from orchestrator.local.core.cloud import ACCESS_KEY, REGION, SECRET_KEY, Cloud
from orchestrator.local.core.state import FOLDER_VARIABLE

SETTLE = 10.0
"""Seconds in which a bad task would show it on AWS; here, as all that takes time, divided by the speed."""


def environment(cloud: Cloud) -> dict[str, str]:
    """What `aws`, `terraform`, `psql` and `orchestrate` need in their environment to talk to this cloud."""
    variables = {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        FOLDER_VARIABLE: str(cloud.directory),
        "ORCHESTRATE_CA_FILE": str(cloud.ca_file),
        "ORCHESTRATE_PORKBUN_URL": f"{cloud.endpoint}/_porkbun/api/json/v3",
        "ORCHESTRATE_SETTLE": str(cloud.pace.scaled(SETTLE)),
        "PORKBUN_API_KEY": cloud.porkbun_key,
        "PORKBUN_SECRET_API_KEY": cloud.porkbun_secret,
    }
    if cloud.resolver:
        variables["ORCHESTRATE_RESOLVER"] = cloud.resolver
    if cloud.site_port:
        variables["ORCHESTRATE_SITE_PORT"] = str(cloud.site_port)
    if cloud.database_port:
        variables |= {
            "ORCHESTRATE_DATABASE_ADDRESS": f"127.0.0.1:{cloud.database_port}",
            "PGHOSTADDR": "127.0.0.1",
            "PGPORT": str(cloud.database_port),
            "PGSSLROOTCERT": str(cloud.ca_file),
            "ORCHESTRATE_DATABASE_CA_FILE": str(cloud.ca_file),
        }
    return variables | cloud.exports
