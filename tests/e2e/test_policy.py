"""`orchestrate policy` is sufficient and least: each command runs under exactly what it prints, where IAM is enforced.

A principal of its own for each command; what the cloud was asked to allow is compared with what the policy allows. The
tests go through one stack's life in their order: it comes to life, fails, is paused, resumed, backed up.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.aws.quotas import Quotas
from orchestrator.engine.lock import LockOwner
from orchestrator.policy import COMMANDS
from orchestrator.terraform.lock_places import lock_of
from tests import needed
from tests.e2e.principal import Principal, allowed_by, beyond, in_a_role, pairs, principal, printed, user
from tests.e2e.restarts import crash, has_a_task, one_deployment, restarting
from tests.e2e.stage import Stage, paused_at, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

DELEGATED = "customer-b.vigilon.app"


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stack as Terraform leaves it, in a cloud that enforces; one tenant's name has a zone of its own."""
    with stage(tmp_path_factory.mktemp("policy"), enforce_iam=True) as made:
        route53 = made.aws.client("route53")
        above = route53.list_hosted_zones_by_name(DNSName="vigilon.app")["HostedZones"][0]["Id"]
        below = route53.create_hosted_zone(Name=DELEGATED, CallerReference="below")
        servers = [{"Value": server} for server in below["DelegationSet"]["NameServers"]]
        delegation = {"Name": DELEGATED, "Type": "NS", "TTL": 60, "ResourceRecords": servers}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": delegation}]}
        route53.change_resource_record_sets(HostedZoneId=above, ChangeBatch=batch)
        (made.folder / "contract.json").write_text(json.dumps(made.contract))
        yield made


@pytest.fixture(autouse=True)
def _no_faults_left(cold: Stage) -> Iterator[None]:
    yield
    cold.clear_faults()


Allowed = Callable[..., Principal]


@pytest.fixture
def allowed(cold: Stage, request: pytest.FixtureRequest) -> Allowed:
    """A principal that may do what `orchestrate policy` prints for a command."""
    return partial(principal, cold, request.node.name)


@pytest.fixture
def old_backup(cold: Stage) -> Iterator[None]:
    """A backup that can't be read any more, in its bucket: whoever finds a store empty looks into it."""
    s3, said = cold.aws.client("s3"), cold.contract
    bucket, key = f"{said['stack']}-backups-{said['account_id']}", "20250101-000000/manifest.json"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": said["region"]})
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    yield
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.usefixtures("old_backup")
def test_run(cold: Stage, allowed: Allowed) -> None:
    run = allowed("run")
    run.calls("run").succeeded()
    with restarting(cold):
        run.calls("run", "--only", "stored-data").succeeded()
    cold.fault("vespa-container-missing")
    run.calls("run", "--only", "vespa-containers").succeeded()
    cold.fault("missing-database", "customer-b")
    run.calls("run", "--only", "tenant-databases").succeeded()
    crash(cold)
    cold.fault("runner-role-denied")
    assert run.calls("run", "--only", "services", "--timeout", "600").status == 1
    cold.fault("no-way-out")
    cold.fault("scaled-to-zero", "customer-b")
    assert run.calls("run", "--only", "services", "--tenant", "customer-b").status == 1
    run.proven(without=RECORDS)


def test_doctor(cold: Stage, allowed: Allowed) -> None:
    crash(cold)
    doctor = allowed("doctor")
    assert doctor.calls("doctor").status == 1
    for name in ("runner-role-denied", "dns-old-record", "no-way-out"):
        cold.fault(name)
    cold.fault("scaled-to-zero", "customer-b")
    assert doctor.calls("doctor").status == 1
    doctor.proven(without=RECORDS)
    cold.clear_faults()
    cold.fault("vespa-container-missing")
    mending = allowed("doctor --fix")
    mending.calls("doctor", "--fix", "--auto-approve")
    assert "ec2:DescribeInstanceAttribute" in {action for action, _ in mending.asked()}
    stopping = {pair for pair in pairs(mending.policy) if pair[0] == "ecs:StopServiceDeployment"}
    assert pairs(mending.policy) - stopping <= pairs(doctor.policy) | allowed_by(cold, "run")


def test_status_of_a_sick_and_of_a_paused_stack_which_is_resumed(cold: Stage, allowed: Allowed) -> None:
    crash(cold)
    cold.fault("dns-old-record")
    cold.fault("vespa-container-missing")
    cold.fault("missing-database", "customer-b")
    status = allowed("status")
    assert status.calls("status").status == 1
    cold.fault("runner-offline")
    assert status.calls("status").status in (1, 6)
    cold.clear_faults()
    cold.run("--only", "tenant-databases").succeeded()

    scale_by_themselves(cold)
    for tenant in cold.contract["tenants"]:  # whose tasks are they, is asked of those that there are
        until(f"{tenant} has a task", partial(has_a_task, cold, tenant))
    pause = allowed("pause")
    pause.calls("pause", "--auto-approve").succeeded()
    pause.proven()
    assert status.calls("status").status == 0
    status.proven(without=HEALTH_CHECKS | NEIGHBOURS | STORED | RECORDS)
    resume = allowed("resume")
    resume.calls("resume").succeeded()
    resume.proven(beside=("run",))


NEIGHBOURS = frozenset({"ecs:ListClusters", "ecs:ListServices"})
"""Asked by a look at a paused stack whose database server runs all the same; by every pause."""
STORED = frozenset({"s3:GetObject", "s3:ListAllMyBuckets", "s3:ListBucket"})
"""Asked about services that were up before, as far as ECS's newest 100 events tell; by the run above."""
HEALTH_CHECKS = frozenset({"elasticloadbalancing:DescribeTargetGroups"})
"""Asked of services at whose rollout a look happens to come; always by the doctor."""


RECORDS = frozenset({"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"})
"""Asked of a rollout that failed, and of a native one under way."""


MIGRATION = ("ecs:RunTask", "iam:PassRole")
"""What a task of its own needs; the second is asked in ECS's name, which this IAM does not play."""


def test_redeploy_migrate_and_continue(cold: Stage, allowed: Allowed) -> None:
    """A new deployment may need, when it fails, what `run` needs; to answer a pause hook nothing else is asked for."""
    before = cold.deployment("customer-b")
    again = allowed("redeploy")
    again.calls("redeploy", "customer-b", "--timeout", "600").succeeded()
    assert cold.deployment("customer-b") != before
    assert "ecs:UpdateService" in {action for action, _ in again.asked()}
    assert not beyond(pairs(again.policy), allowed_by(cold, "run"))
    once, before = allowed("migrate"), cold.deployment("customer-b")
    once.calls("migrate", "customer-b", "--timeout", "600").succeeded()
    assert cold.deployment("customer-b") != before
    assert MIGRATION[0] in {action for action, _ in once.asked()}
    own = {pair for pair in pairs(once.policy) if pair[0] in MIGRATION}
    assert not beyond(pairs(once.policy) - own, allowed_by(cold, "run"))
    cold.fault("deployment-paused")
    for tenant in cold.contract["tenants"]:
        until(f"{tenant} waits at its hook", partial(paused_at, cold, tenant))
    going_on = allowed("continue")
    assert going_on.calls("continue", "--auto-approve").succeeded().last["changed"] == 2
    going_on.proven()
    cold.clear_faults()
    for tenant in cold.contract["tenants"]:
        until(f"{tenant} is a rolling service again", partial(one_deployment, cold, tenant))


def scale_by_themselves(stage: Stage) -> None:
    scaling = stage.aws.client("application-autoscaling")
    for tenant in stage.contract["tenants"].values():
        scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{stage.contract['cluster']}/{tenant['service']}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=1,
            MaxCapacity=2,
        )


LATELY = ("--since", "1s")
"""What crashed has said a lot before, which is read in very small pages here."""


@pytest.mark.parametrize(("command", "how"), [("tasks", ()), ("logs", LATELY)], ids=["tasks", "logs"])
def test_looking(allowed: Allowed, command: str, how: tuple[str, ...]) -> None:
    looking = allowed(command)
    looking.calls(command, *how).succeeded()
    looking.proven()


def test_looking_into_vespa(allowed: Allowed) -> None:
    """One instance alone is asked for its answer in another way than several."""
    looking = allowed("logs vespa")
    looking.calls("logs", "vespa").succeeded()
    looking.calls("logs", "vespa", "--tenant", "customer-b").succeeded()
    looking.proven()


def test_what_a_key_of_the_customers_seals_is_opened_through_its_service(cold: Stage, allowed: Allowed) -> None:
    """Not without the key's name in the policy; with it, by no more than is needed."""
    secrets, key = cold.aws.client("secretsmanager"), cold.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    sealed = cold.contract["tenants"]["customer-b"]["secret_arn"]
    secrets.update_secret(SecretId=sealed, KmsKeyId=key)
    try:
        blind = allowed("logs")
        blind.calls("logs", *LATELY)
        mine = [one for one in cold.cloud.ask("audit") if one["principal"] == blind.arn]
        assert {one["action"] for one in mine if one["decision"] != "allowed"} == {"kms:Decrypt"}
        looking = principal(cold, "under a key", "logs", "--kms-key", key)
        looking.calls("logs", *LATELY).succeeded()
        assert ("kms:Decrypt", key) in looking.asked()
        looking.proven()
    finally:
        secrets.update_secret(SecretId=sealed, KmsKeyId="alias/aws/secretsmanager")


def test_without_the_runner(cold: Stage, allowed: Allowed) -> None:
    direct = ("--database-transport", "direct")
    status = allowed("status", *direct)
    seen = status.calls("status", *direct, "--only", "tenant-databases").of("step-done", "tenant-databases")
    assert {one["subject"] for one in seen} == set(cold.contract["tenants"])
    assert not any(action.startswith("ssm:") for action, _ in status.asked())


def test_dns(cold: Stage, allowed: Allowed) -> None:
    dns = allowed("dns")
    dns.calls("dns", "undo", "--auto-approve").succeeded()
    assert dns.calls("dns", "plan").status == 6
    dns.calls("dns", "apply", "--auto-approve").succeeded()
    dns.calls("dns", "check").succeeded()
    dns.proven()


@pytest.mark.terraform
def test_preflight_on_what_is_applied(cold: Stage, allowed: Allowed, tmp_path: Path) -> None:
    """`plan` may do the same, and `apply` besides what `run` may; the rest is Terraform's."""
    terraform = needed.terraform()
    (tmp_path / "main.tf").write_text(
        f'output "orchestrator" {{\n  value = jsondecode(file("{cold.folder}/contract.json"))\n}}\n'
    )
    subprocess.run([terraform, "apply", "-auto-approve"], cwd=tmp_path, check=True, capture_output=True)
    preflight = allowed("preflight")
    options = ("--chdir", str(tmp_path), "--json", "--poll", "0.5")
    cold.orchestrate("preflight", *options, variables=preflight.keys).succeeded()
    apart = {("servicequotas:GetServiceQuota", "*")}
    assert not beyond(pairs(preflight.policy) - apart, allowed_by(cold, "status"))
    assert "rds:DescribeDBSnapshots" in {action for action, _ in preflight.asked()}
    # This stack is within AWS's defaults: nobody asks whether they were raised, so we do in its name.
    session = boto3.Session(preflight.keys["AWS_ACCESS_KEY_ID"], preflight.keys["AWS_SECRET_ACCESS_KEY"])
    make: Any = session.client
    quotas = make("service-quotas", endpoint_url=cold.cloud.running.endpoint, region_name=cold.contract["region"])
    assert Quotas(quotas).value("acm", "L-FB94F0B0") == 10
    preflight.proven(beside=("status",))
    assert COMMANDS["preflight"] == COMMANDS["plan"]


def test_the_lock_in_s3(cold: Stage, allowed: Allowed, tmp_path: Path) -> None:
    s3 = cold.aws.client("s3")
    s3.create_bucket(Bucket="onyx-state", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    endpoints = {"s3": cold.cloud.running.endpoint}
    keys = {"bucket": "onyx-state", "key": "prod.tfstate", "region": "us-west-2", "endpoints": endpoints}
    (tmp_path / ".terraform").mkdir()
    backend = {"type": "s3", "config": keys | {"use_path_style": True}}
    (tmp_path / ".terraform" / "terraform.tfstate").write_text(json.dumps({"backend": backend}))
    apply = allowed("dns apply", directory=tmp_path)
    lock = lock_of(tmp_path, apply.keys, None)
    assert lock.holder() is None
    assert lock.take(LockOwner(run="ours")) is None
    lock.check()
    holder = lock.holder()
    assert holder is not None
    assert holder.run == "ours"
    lock.give_back()
    assert "Contents" not in s3.list_objects_v2(Bucket="onyx-state")
    ours = {pair for pair in pairs(apply.policy) if pair[0].startswith("s3:")}
    assert apply.asked() == ours


def test_a_contract_in_s3_and_a_role_for_its_stack(cold: Stage, tmp_path: Path) -> None:
    """A worker lists the states and assumes the role; in the role, the contract is read. Each under its own policy."""
    s3, contract = cold.aws.client("s3"), "s3://onyx-contracts/prod/terraform.tfstate"
    s3.create_bucket(Bucket="onyx-contracts", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x"}
    outputs = {"orchestrator": {"value": cold.contract, "type": "dynamic"}}
    s3.put_object(Bucket="onyx-contracts", Key="prod/terraform.tfstate", Body=json.dumps(state | {"outputs": outputs}))
    role = f"arn:aws:iam::{cold.contract['account_id']}:role/of-the-stack"
    fleet = tmp_path / "fleet.toml"
    stack = f'[stacks.one]\ncontract = "{contract}"\nrole = "{role}"\n'
    fleet.write_text(f'discover = ["s3://onyx-contracts/prod/"]\n{stack}')
    worker = user(cold, "worker", printed("fleet", "policy", "--fleet", str(fleet)))
    looking = printed("policy", "tasks", "--contract", contract, variables=cold.environment())
    assumed = in_a_role(cold, worker, "of-the-stack", looking)

    listed = cold.orchestrate("fleet", "stacks", "--fleet", str(fleet), variables=worker.keys)
    assert (listed.status, "one" in listed.stdout) == (0, True), listed.stderr
    looked = cold.orchestrate("tasks", "--contract", contract, "--role", role, "--json", variables=worker.keys)
    assert looked.status == 0, looked.stderr
    s3.delete_object(Bucket="onyx-contracts", Key="prod/terraform.tfstate")
    gone = cold.orchestrate("tasks", "--contract", contract, "--role", role, "--json", variables=worker.keys)
    assert "there is no such object" in gone.stdout + gone.stderr
    worker.proven()
    assumed.proven()


def test_a_missing_action_is_named(allowed: Allowed) -> None:
    """One problem for each step that lacks one, whatever protocol it was refused in."""
    lacking = {
        "database-server": "rds:DescribeDBInstances",
        "redis-auth": "elasticache:DescribeReplicationGroups",
        "dns-records": "route53:ListResourceRecordSets",
        "runner": "ssm:DescribeInstanceInformation",
    }
    ended = allowed("run", without=tuple(lacking.values())).calls("run")
    assert ended.status == 1
    told = {one["step"]: one for one in ended.of("step-failed") if one["code"] == "access-denied"}
    assert told.keys() == lacking.keys()
    for step, action in lacking.items():
        assert f"allow {action} to" in told[step]["fix"]
        assert f"not authorized to perform: {action}" in told[step]["detail"]


KEYS = frozenset({f"secretsmanager:{do}Secret" for do in ("Create", "Delete", "Describe")}) | {
    "secretsmanager:GetSecretValue",
    "secretsmanager:TagResource",
}
"""This stack has no key of its own (ENCRYPTION_KEY_SECRET) that a backup would copy."""


def test_backups(cold: Stage, allowed: Allowed) -> None:
    s3 = cold.aws.client("s3")
    s3.put_object(Bucket=cold.contract["bucket"], Key="onyx-files/customer-a/ü", Body=b"kept", Tagging="kept=yes")
    live = allowed("backup")
    live.calls("backup").succeeded()
    live.proven(without=KEYS | {"s3:DeleteObject"})  # no object went while this backup was interrupted
    quiet = allowed("backup --stop-services")
    quiet.calls("backup", "--stop-services").succeeded()
    assert {"ecs:TagResource", "ecs:UpdateService"} <= {action for action, _ in quiet.asked()}
    assert pairs(quiet.policy) <= pairs(live.policy) | allowed_by(cold, "pause") | allowed_by(cold, "resume")
    dumped = allowed("backup --dump")
    dumped.calls("backup", "--stop-services", "--dump").succeeded()
    dumped.proven(beside=("backup --stop-services",))
    prune = allowed("backup --prune")
    prune.calls("backup", "--prune", "1", "--auto-approve").succeeded()
    prune.proven(without=KEYS)


def test_certificate(allowed: Allowed) -> None:
    certificate = allowed("certificate")
    certificate.calls("certificate").succeeded()
    certificate.proven()
