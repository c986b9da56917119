"""What an operator sees and does at 3 a.m., by the real command line on a living stack: doctor --fix."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.errors import Outcome
from tests.e2e.stage import Ended, Stage, until

pytestmark = pytest.mark.cloud

SICK, OTHER = "customer-b", "customer-a"


def on_vespa(stage: Stage, script: str, tenant: str = SICK) -> str:
    """What a script on the tenant's instance prints."""
    ssm, instance = stage.aws.client("ssm"), stage.contract["vespa"][tenant]["instance_id"]
    sent = ssm.send_command(
        InstanceIds=[instance], DocumentName="AWS-RunShellScript", Parameters={"commands": [script]}
    )["Command"]["CommandId"]

    def ended() -> Any:
        one = ssm.list_command_invocations(CommandId=sent, Details=True)["CommandInvocations"][0]
        return one if one["Status"] in {"Success", "Failed"} else None

    return str(until("the script has ended", ended)["CommandPlugins"][0]["Output"])


def roots(ended: Ended) -> set[tuple[str, str]]:
    return {(one["code"], one["subject"]) for one in ended.of("finding-reported", "doctor") if not one["root"]}


def planned(ended: Ended) -> set[tuple[str, str]]:
    shown = (one for one in ended.of("finding-reported") if one["code"] == "change-planned")
    return {(one["step"], one["subject"]) for one in shown}


# doctor --fix


def test_what_is_safe_is_shown_asked_for_and_mended(well: Stage) -> None:
    on_vespa(well, "docker rm -f vespa")
    on_vespa(well, "systemctl stop docker", OTHER)
    well.fault("missing-database", SICK)
    before = {tenant: well.deployment(tenant) for tenant in (SICK, OTHER)}

    asked = well.command("doctor", "--fix", "--json")
    assert (asked.status, asked.failures) == (Outcome.INVALID.status, [("doctor", "", "approval-needed")])
    shown = {("tenant-databases", SICK), ("vespa-containers", SICK), ("vespa-containers", OTHER)}
    assert shown <= planned(asked)
    assert "onyx_customer_b" not in well.databases()

    ended = well.command("doctor", "--fix", "--json", "--auto-approve").succeeded()
    assert {("database-missing", SICK), ("vespa-container-missing", SICK), ("dockerd-down", OTHER)} <= roots(ended)
    done = {(one["step"], one["subject"]): one["changed"] for one in ended.of("step-done")}
    assert {key: done[key] for key in shown} == dict.fromkeys(shown, 1)
    assert "onyx_customer_b" in well.databases()
    assert {tenant: well.deployment(tenant) == before[tenant] for tenant in before} == {SICK: False, OTHER: True}
    records = [json.loads(line) for line in well.orchestrate("history", "--json").stdout.splitlines()]
    assert (records[0]["command"], records[0]["changed"]) == ("doctor", ended.last["changed"])

    made = json.loads(on_vespa(well, "docker inspect vespa"))[0]
    assert made["Config"]["Image"] == "vespaengine/vespa:8.609.39"
    assert "/opt/vespa/var:/opt/vespa/var" in made["HostConfig"]["Binds"]
    assert made["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert (set(made["HostConfig"]["PortBindings"]), made["State"]["Status"]) == ({"8081/tcp", "19071/tcp"}, "running")
    assert on_vespa(well, "docker ps --format '{{.Names}}'", OTHER) == "vespa\n"


def test_what_cannot_be_mended_is_left_alone(well: Stage) -> None:
    well.fault("short-grace", SICK)
    well.recorder.forget()
    ended = well.command("doctor", "--fix", "--json", "--auto-approve").succeeded()
    assert roots(ended) == {("grace-period-short", SICK)}
    assert not any(":Update" in call or ":Modify" in call for call in well.recorder.calls)
    assert ended.last["changed"] == 0
