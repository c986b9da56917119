"""`orchestrate policy destroy` and `policy restore`: each runs under exactly what it prints, where IAM is enforced.

Terraform itself, whose needs follow from its configuration, has keys of its own here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle
from tests.e2e.principal import Principal, principal

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

NO_KEY = frozenset(
    f"secretsmanager:{do}"
    for do in ("CreateSecret", "TagResource", "DescribeSecret", "PutSecretValue", "GetSecretValue")
)
"""This stack has no key of its own (ENCRYPTION_KEY_SECRET) that a backup would copy."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    with lifecycle(tmp_path_factory.mktemp("policy-ends"), enforce_iam=True) as made:
        made.transport = "ssm"
        made.stage.contract = dict(made.customers.contract)
        (made.stage.folder / "contract.json").write_text(json.dumps(made.stage.contract))
        yield made


def keys(place: Lifecycle, who: Principal) -> Mapping[str, str]:
    """The principal's, and Terraform's."""
    local = place.stage.environment()
    worlds = {f"WORLD_{name}": local[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    return {**who.keys, **worlds}


def test_destroy_and_restore(place: Lifecycle) -> None:
    """Restored from the policy of the stack that was; its first try fails, and asks the doctor."""
    allowed = partial(principal, place.stage, "ends")
    before, destroy, restore = place.fingerprint(), allowed("destroy"), allowed("restore")
    rds, elbv2 = place.stage.aws.client("rds"), place.stage.aws.client("elbv2")
    rds.modify_db_instance(DBInstanceIdentifier=f"{NAME}-postgres", DeletionProtection=True, ApplyImmediately=True)
    guarded = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    balancer = place.stage.contract["load_balancer"]["arn"]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=guarded)

    place.command("destroy", "--confirm", NAME, variables=keys(place, destroy)).succeeded()
    assert place.databases() == {}
    destroy.proven(beside=("backup", "backup --stop-services", "backup --dump"))

    place.stage.fault("oom")
    failed = place.command("restore", "--auto-approve", variables=keys(place, restore))
    assert (failed.status, "out-of-memory" in str(failed.codes)) == (1, True), failed.stdout[-3000:]
    place.stage.clear_faults()
    place.command("restore", "--auto-approve", variables=keys(place, restore)).succeeded()
    assert place.fingerprint() == before
    restore.proven(beside=("run", "resume", "backup --stop-services", "backup --dump"), without=NO_KEY)
