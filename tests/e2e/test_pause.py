"""Pause and resume through the real command line: services of 1, 3 and 7 tasks, a database with rows in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
from tests.e2e.stage import Ended, Stage, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

TASKS = {"customer-a": 1, "customer-b": 3, "customer-c": 7}
LIMITS = {"customer-b": (2, 3), "customer-c": (5, 9)}
DIRECT = ("--database-transport", "direct")


@pytest.fixture(scope="module")
def awake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Alive, with its tasks; the second scales by itself and is under load, the third must not scale in."""
    folder: Path = tmp_path_factory.mktemp("pause")
    with stage(folder, tenants=tuple(TASKS)) as made:
        made.direct().succeeded()
        for tenant, tasks in TASKS.items():
            name = made.contract["tenants"][tenant]["service"]
            made.aws.client("ecs").update_service(cluster=made.contract["cluster"], service=name, desiredCount=tasks)
        for tenant in LIMITS:
            scale_by_itself(made, tenant)
        made.direct("--only", "services").succeeded()
        with made.tenant_login("customer-a") as database:
            database.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        yield made


def scale_by_itself(made: Stage, tenant: str) -> None:
    scaling, watch = made.aws.client("application-autoscaling"), made.aws.client("cloudwatch")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{made.contract['cluster']}/{made.contract['tenants'][tenant]['service']}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    least, most = LIMITS[tenant]
    suspended = {"DynamicScalingInSuspended": tenant == "customer-c"}
    scaling.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most, SuspendedState=suspended)
    metric = {"PredefinedMetricType": "ALBRequestCountPerTarget"}
    policy = scaling.put_scaling_policy(
        **target,
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 10.0, "PredefinedMetricSpecification": metric},
    )
    if tenant == "customer-b":
        (high,) = [one["AlarmName"] for one in policy["Alarms"] if "AlarmHigh" in one["AlarmName"]]
        watch.set_alarm_state(AlarmName=high, StateValue="ALARM", StateReason="visitors")


@dataclass
class Seen:
    """What is really there, through clients that are made once."""

    stage: Stage
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.stage.aws.client(service)
        return self.clients[service]

    def services(self) -> dict[str, dict[str, Any]]:
        contract = self.stage.contract
        names = {contract["tenants"][tenant]["service"]: tenant for tenant in TASKS}
        found = self.client("ecs").describe_services(
            cluster=contract["cluster"], services=list(names), include=["TAGS"]
        )
        return {names[one["serviceName"]]: one for one in found["services"]}

    def desired(self) -> dict[str, int]:
        return {tenant: one["desiredCount"] for tenant, one in self.services().items()}

    def server(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("rds").describe_db_instances()["DBInstances"][0]
        return found

    def machines(self) -> set[str]:
        answer = self.client("ec2").describe_instances()["Reservations"]
        return {one["State"]["Name"] for reservation in answer for one in reservation["Instances"]}

    def rests(self) -> bool:
        state = (set(self.desired().values()), self.server()["DBInstanceStatus"], self.machines())
        return state == ({0}, "stopped", {"stopped"})

    def lasting(self) -> Mapping[str, Any]:
        """What a pause must leave as it was."""
        scaling = self.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
        with self.stage.tenant_login("customer-a") as database:
            rows = database.execute("SELECT count(*), sum(n) FROM kept").fetchone()
        return {
            "services": {
                tenant: (one["desiredCount"], one["runningCount"], one.get("tags"), one["deployments"][0]["id"])
                for tenant, one in self.services().items()
            },
            "scaling": [
                (one["MinCapacity"], one["MaxCapacity"], one["SuspendedState"]) for one in scaling["ScalableTargets"]
            ],
            "database": (self.server()["DBInstanceStatus"], self.server().get("TagList")),
            "machines": self.machines(),
            "rows": rows,
        }


@pytest.fixture(scope="module")
def seen(awake: Stage) -> Seen:
    return Seen(awake)


def doctor(made: Stage) -> list[tuple[str, str]]:
    ended = made.orchestrate("doctor", "--json", "--contract", str(made.folder / "contract.json"))
    # No validation records are published here: the certificate is another story.
    return [(one["severity"], one["code"]) for one in ended.of("finding-reported") if "certificate" not in one["code"]]


def codes(ended: Ended) -> list[str]:
    return [one["code"] for one in ended.of("finding-reported")]


def test_paused_kept_paused_and_resumed_it_is_as_it_was(awake: Stage, seen: Seen) -> None:
    before = seen.lasting()
    assert {tenant: one[:2] for tenant, one in before["services"].items()} == {
        tenant: (tasks, tasks) for tenant, tasks in TASKS.items()
    }

    known = ("--step-timeouts", "services=900,database-stopped=900,instances-started=900")
    ended = awake.command("pause", "--json", "--auto-approve", *known).succeeded()
    assert seen.rests()
    assert {"cost-estimate", "database-starts-by-itself"} <= set(codes(ended))
    assert awake.command("pause", "--json", "--auto-approve").succeeded().last["changed"] == 0
    said = awake.command("status", "--json").succeeded()
    assert codes(said) == ["paused"]
    assert "paused since 20" in said.of("finding-reported")[0]["detail"]
    assert doctor(awake) == [("info", "stack-paused")]

    awake.fault("database-auto-restarted")
    until("RDS has started it", lambda: seen.server()["DBInstanceStatus"] == "available")
    assert doctor(awake) == [("warning", "database-restarted"), ("info", "stack-paused")]
    assert awake.command("pause", "--keep-paused", "--json").succeeded().last["changed"] == 1
    assert seen.rests()

    awake.fault("instance-no-capacity")
    waited = awake.command("resume", "--json", "--step-timeouts", "instances-started=2", *DIRECT)
    awake.clear_faults()
    assert (waited.status, waited.codes) == (4, {"instance-no-capacity"})
    awake.command("resume", "--json", *DIRECT).succeeded()
    assert seen.lasting() == before
    assert awake.command("resume", "--json", *DIRECT).succeeded().last["changed"] == 0


def test_one_tenant_s_service_alone(awake: Stage, seen: Seen) -> None:
    before = seen.lasting()
    refused = awake.command("pause", "--json", "--tenant", "customer-c")
    assert (refused.status, refused.codes, refused.last["changed"]) == (2, {"approval-needed"}, 0)
    awake.command("pause", "--json", "--auto-approve", "--tenant", "customer-c").succeeded()
    assert seen.desired() == {**TASKS, "customer-c": 0}
    assert (seen.server()["DBInstanceStatus"], seen.machines()) == ("available", {"running"})
    said = awake.command("status", "--json", *DIRECT).succeeded()
    assert [one["subject"] for one in said.of("step-done", "services-at-zero")] == ["customer-c"]
    assert {one["subject"] for one in said.of("step-done", "sites")} == {"customer-a", "customer-b"}
    assert awake.command("pause", "--keep-paused", "--json").succeeded().last["changed"] == 0
    awake.command("resume", "--json", "--tenant", "customer-c", *DIRECT).succeeded()
    assert seen.lasting() == before


def test_killed_in_the_middle_of_a_pause_it_can_be_resumed(awake: Stage, seen: Seen) -> None:
    before = seen.lasting()
    command = ["pause", "--contract", str(awake.folder / "contract.json"), "--json", "--auto-approve"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", *command],
        env=awake.environment(),
        cwd=awake.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "step-waiting" and event["detail"].startswith("scale "):
                os.kill(process.pid, signal.SIGKILL)
                break
    awake.command("resume", "--json", *DIRECT).succeeded()
    assert seen.lasting() == before


def test_not_while_another_run_works_on_the_stack(awake: Stage) -> None:
    awake.work.mkdir(exist_ok=True)
    lock = FileLock(awake.work / ".orchestrate" / "orchestrate.lock")
    lock.take(LockOwner(run="another", command="apply", user="ana", host="laptop", pid=4711, since="today"))
    ended = awake.command("pause", "--json", "--auto-approve")
    lock.give_back()
    assert (ended.status, ended.codes, ended.last["changed"]) == (5, {"locked"}, 0)
