"""`orchestrate policy destroy` and `policy restore`: each runs under exactly what it prints, where IAM is enforced.

Terraform itself, whose needs follow from its configuration, has keys of its own here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.lifecycle_stage import NAME, Lifecycle, Somebody, lifecycle
from tests.e2e.principal import principal

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

NO_KEY = frozenset(
    f"secretsmanager:{do}"
    for do in ("CreateSecret", "TagResource", "DescribeSecret", "PutSecretValue", "GetSecretValue")
)
"""This stack has no key of its own (ENCRYPTION_KEY_SECRET) that a backup would copy."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    with lifecycle(tmp_path_factory.mktemp("policy"), enforce_iam=True) as made:
        made.on_record()
        yield made


def protect(place: Lifecycle) -> None:
    """The data can't be deleted by mistake."""
    rds, elbv2 = place.stage.aws.client("rds"), place.stage.aws.client("elbv2")
    rds.modify_db_instance(DBInstanceIdentifier=f"{NAME}-postgres", DeletionProtection=True, ApplyImmediately=True)
    guarded = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    balancer = place.customers.contract["load_balancer"]["arn"]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=guarded)


def deploy(place: Lifecycle) -> None:
    """As another task definition would."""
    ecs, contract = place.stage.aws.client("ecs"), place.customers.contract
    for tenant in contract["tenants"].values():
        ecs.update_service(cluster=contract["cluster"], service=tenant["service"], forceNewDeployment=True)


def test_destroy_and_restore(place: Lifecycle) -> None:
    """With the policy of the stack that was: a try that fails, and asks the doctor; again; onto what is there then."""
    s3, was = place.stage.aws.client("s3"), place.stage.contract
    s3.put_object(Bucket=was["bucket"], Key="onyx-files/customer-a/tagged", Body=b"kept", Tagging="kept=yes")
    before = place.fingerprint()
    destroyer, restorer = (
        Somebody(place, principal(place.stage, "whole-life", name)) for name in ("destroy", "restore")
    )
    protect(place)
    destroyer.calls("destroy", "--confirm", NAME).succeeded()
    assert place.databases() == {}
    destroyer.who.proven(beside=("backup", "backup --stop-services", "backup --dump"))

    place.stage.fault("oom")
    failed = restorer.calls("restore", "--auto-approve")
    assert (failed.status, "out-of-memory" in failed.codes) == (1, True), failed.stdout[-3000:]
    place.stage.clear_faults()
    deploy(place)
    restorer.calls("restore", "--auto-approve").succeeded()
    assert place.fingerprint() == before

    protect(place)
    place.customers.write("customer-a", 12, 3)
    refused = restorer.calls("restore", "--auto-approve")
    losses = [one["loss"] for one in refused.of("finding-reported") if one["code"] == "restored-over"]
    assert refused.codes == {"data-loss"}
    restorer.calls("restore", "--auto-approve", *(f"--allow-loss={one}" for one in losses)).succeeded()
    assert place.fingerprint() == before
    place.stage.contract = was
    restorer.who.proven(beside=("run", "resume", "backup --stop-services", "backup --dump"), without=NO_KEY)
