"""What an operator looks at and mends at 3 a.m., by the real command line on a living stack."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.errors import Outcome
from tests.e2e.canary import leaks, secrets_of
from tests.e2e.stage import COMMAND_SECONDS, Ended, Event, Stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

SICK, OTHER = "customer-b", "customer-a"
PICTURES = 400
"""Lines of a watch, at most, in which what it waits for must have been shown."""


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


def parts(events: list[Event]) -> dict[str, Event]:
    return {one["subject"] or one["part"]: one for one in events if one["event"] == "part-observed"}


@contextlib.contextmanager
def running(stage: Stage, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """The real command line, under way; killed at the end if it still is."""
    (stage.folder / "contract.json").write_text(json.dumps(stage.contract))
    stage.work.mkdir(exist_ok=True)
    command = [sys.executable, "-P", "-m", "orchestrator", *arguments]
    command += ["--contract", str(stage.folder / "contract.json"), "--poll", "0.3"]
    with subprocess.Popen(command, env=stage.environment(), cwd=stage.work, text=True, **streams) as process:
        watchdog = threading.Timer(COMMAND_SECONDS, process.kill)
        try:
            watchdog.start()
            yield process
        finally:
            watchdog.cancel()
            process.kill()


# status


def test_status_is_one_table_of_everything(well: Stage) -> None:
    ended = well.command("status", "--json").succeeded()
    seen = parts(ended.events)
    assert list(seen) == ["database", "redis", "load-balancer", OTHER, SICK]
    assert {one["state"] for one in seen.values()} == {"up"}
    counts = ("running", "desired", "healthy", "targets", "vespa", "dns", "site")
    assert {tuple(seen[tenant][name] for name in counts) for tenant in (SICK, OTHER)} == {
        (1, 1, 1, 1, "up", "ok", "200")
    }
    steps = {(one["step"], one["subject"]) for one in ended.of("step-done")}
    assert {("database-server", ""), ("sites", SICK)} <= steps, "each step is told as before"
    page = well.work / "status.html"
    text = well.command("status", "--tenant", SICK, "--html", str(page)).stdout
    assert "1/1 healthy" in page.read_text()
    assert OTHER not in page.read_text()
    assert [line.split()[:7] for line in text.splitlines() if line.startswith(SICK)] == [
        [SICK, "up", "1/1", "1/1", "up", "ok", "200"]
    ]
    assert f"\n{OTHER}" not in text


@pytest.fixture
def without_vespa(well: Stage) -> Iterator[Stage]:
    """Its container was stopped by hand: unlike by the fault of this name, no task starts again and dies of it."""
    on_vespa(well, "docker stop vespa")
    yield well
    on_vespa(well, "docker start vespa")


def test_watch_is_drawn_anew_until_everything_is_up(without_vespa: Stage) -> None:
    well = without_vespa
    pending = well.command("status", "--json")
    assert (pending.status, parts(pending.events)[SICK]["vespa"]) == (Outcome.PENDING.status, "exited")
    assert well.command("status", "--only", "tenant-databases").status == 0, "that step has no work"
    ours, theirs = pty.openpty()
    with running(well, "status", "--watch", stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        drawn, cured = b"", False
        with contextlib.suppress(OSError):  # how a terminal ends on Linux
            while said := os.read(ours, 65536):
                drawn += said
                if b"exited" in drawn and not cured:
                    cured = True
                    on_vespa(well, "docker start vespa")
        os.close(ours)
        assert process.wait() == 0, drawn.decode()
    assert b"\x1b[1A" in drawn, "in the place of the picture before"
    assert b"succeeded" in drawn


def test_watch_ends_at_ctrl_c(without_vespa: Stage) -> None:
    with running(without_vespa, "status", "--watch", "--json", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        seen = [json.loads(next(lines))]
        # The first picture may be of a busy machine: a site that answers late is no answer.
        while (seen[-1].get("part"), seen[-1]["subject"], seen[-1].get("state")) != ("tenant", SICK, "pending"):
            assert len(seen) < PICTURES, seen
            seen.append(json.loads(next(lines)))
        process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in lines]
        assert process.wait() == Outcome.INTERRUPTED.status
    assert (rest[-1]["event"], rest[-1]["outcome"]) == ("run-finished", "interrupted")
    assert not [one for one in rest if one["event"] == "step-failed"]


# logs


def test_logs_of_all_tenants_are_one_stream(well: Stage) -> None:
    ended = well.command("logs", "--since", "1h", "--json", "--grep", "?Uvicorn ?supervisord").succeeded()
    lines = ended.of("log-line")
    assert {(one["subject"], one["container"]) for one in lines} == {
        (tenant, container) for tenant in (SICK, OTHER) for container in ("api", "background")
    }
    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
    text = well.command("logs", "--since", "1h", "--container", "api", "--grep", "Uvicorn", "--tenant", SICK).stdout
    assert text.splitlines(), "nothing but lines of the log"
    assert all(f"{SICK} api INFO:     Uvicorn running" in line for line in text.splitlines())


def test_following_goes_on_and_hides_secrets(well: Stage) -> None:
    group, stream = well.contract["tenants"][SICK]["log_group"], "api/api/followed"
    password = well.secret(well.contract["tenants"][SICK]["secret_arn"])["password"]
    logs = well.aws.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    with running(well, "logs", "--follow", "--since", "1h", "--json", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        events = (json.loads(line) for line in process.stdout)
        for text in ("first", f"postgresql://u:{password}@host/db", "third"):
            entry: Any = {"timestamp": int(time.time() * 1000), "message": text}
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[entry])
            said = next(one for one in events if one.get("task") == "followed")
            assert said["detail"] == text.replace(password, "***")
            assert (said["event"], said["subject"], said["container"]) == ("log-line", SICK, "api")
        process.send_signal(signal.SIGTERM)
        assert [one["event"] for one in events][-1] == "run-finished"
        assert process.wait() == Outcome.INTERRUPTED.status


def test_vespa_s_log_comes_over_ssm(well: Stage) -> None:
    on_vespa(well, "docker restart vespa")
    ended = well.command("logs", "vespa", "--json", "--tenant", SICK).succeeded()
    assert {(one["subject"], one["container"]) for one in ended.of("log-line")} == {(SICK, "vespa")}
    assert "Starting services" in ended.of("log-line")[-1]["detail"]


def test_all_that_logs_cannot_do_is_said_at_once(well: Stage) -> None:
    ended = well.command("logs", "vespa", "--follow", "--container", "api", "--grep", "?x", "--json")
    assert (ended.status, ended.codes) == (2, {"follow-impossible", "container-unknown", "grep-invalid"})
    assert ended.last["aws_calls"] == 0


# shell


STAND_IN = f"""#!{sys.executable}
import json, os, sys
if "--version" in sys.argv:
    print("1.2.764.0")
else:
    response = os.environ["AWS_SSM_START_SESSION_RESPONSE"]
    json.dump({{"arguments": sys.argv[1:], "response": json.loads(response)}}, open(os.environ["RECORD"], "w"))
"""


def test_shell_becomes_the_plugin_as_the_aws_cli_does(well: Stage) -> None:
    folder = well.folder / "plugin"
    folder.mkdir()
    (folder / "session-manager-plugin").write_text(STAND_IN)
    (folder / "session-manager-plugin").chmod(0o755)
    path: Any = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    ours, theirs, instance = folder / "ours", folder / "theirs", well.contract["vespa"][SICK]["instance_id"]
    ended = well.command("shell", "vespa", "--tenant", SICK, RECORD=str(ours), **path)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")
    command = [sys.executable, "-m", "awscli", "ssm", "start-session", "--target", instance]
    subprocess.run(command, env=well.environment(RECORD=str(theirs), **path), check=True, capture_output=True)
    handed, expected = json.loads(ours.read_text()), json.loads(theirs.read_text())
    assert handed["arguments"] == expected["arguments"]
    assert handed["response"].keys() == expected["response"].keys()
    session = well.aws.client("ssm").describe_sessions(State="Active")["Sessions"]
    assert (handed["response"]["SessionId"], instance) in {(one["SessionId"], one["Target"]) for one in session}
    several = well.command("shell", "vespa", **path)
    assert several.status == Outcome.INVALID.status
    assert "[tenant-needed]" in several.stdout


# doctor --bundle


def test_a_bundle_for_a_colleague_has_no_secret_in_it(well: Stage) -> None:
    secrets = secrets_of(well)
    group = well.contract["tenants"][SICK]["log_group"]
    logs = well.aws.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="api/api/talkative")
    entries = [{"timestamp": int(time.time() * 1000), "message": f"password={value}"} for value in secrets.values()]
    logs.put_log_events(logGroupName=group, logStreamName="api/api/talkative", logEvents=entries)
    well.fault("short-grace", SICK)
    file = well.folder / "case.zip"
    ended = well.command("doctor", "--json", "--bundle", str(file), "--fix", "--auto-approve").succeeded()
    assert roots(ended) == {("grace-period-short", SICK)}
    assert ended.last["changed"] == 0, "what can't be mended is left alone"
    assert ended.of("step-done", "bundle")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"contract.json", "versions.json", "findings.jsonl", "status.jsonl", "tasks.jsonl"} <= held.keys()
    assert {f"logs/{SICK}.log", f"logs/{OTHER}.log", f"logs/vespa-{SICK}.log"} <= held.keys()
    assert json.loads(held["contract.json"]) == well.contract | json.loads(held["contract.json"])
    assert "grace-period-short" in held["findings.jsonl"]
    assert held[f"logs/{SICK}.log"].count("password=***") == len(secrets)
    assert leaks(secrets, held) == []


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
    assert list((well.work / ".orchestrate" / "runs").glob("*.jsonl")), "what may change something leaves a record"
    report = (well.work / ".orchestrate" / "runs" / "report.html").read_text()
    assert all(what in report for what in ("What was changed", "tenant-databases", "Tasks", SICK, OTHER))
    assert leaks(secrets_of(well), {"report": report}) == []

    made = json.loads(on_vespa(well, "docker inspect vespa"))[0]
    assert made["Config"]["Image"] == "vespaengine/vespa:8.609.39"
    assert "/opt/vespa/var:/opt/vespa/var" in made["HostConfig"]["Binds"]
    assert made["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert (set(made["HostConfig"]["PortBindings"]), made["State"]["Status"]) == ({"8081/tcp", "19071/tcp"}, "running")
    assert on_vespa(well, "docker ps --format '{{.Names}}'", OTHER) == "vespa\n"


# tasks


def test_tasks_say_how_they_ended(well: Stage) -> None:
    well.fault("oom", SICK)
    ecs, cluster = well.aws.client("ecs"), well.contract["cluster"]
    service = well.contract["tenants"][SICK]["service"]
    stopped = {"cluster": cluster, "serviceName": service, "desiredStatus": "STOPPED"}
    until("a task died of it", lambda: ecs.list_tasks(**stopped)["taskArns"])
    ended = well.command("tasks", "--json").succeeded()
    dead = next(one for one in ended.of("task-observed") if one["code"] and one["status"] == "STOPPED")
    assert (dead["subject"], dead["stop_code"]) == (SICK, "EssentialContainerExited")
    assert (dead["reason"], dead["code"]) == ("Essential container in task exited", "out-of-memory")
    api = next(one for one in dead["containers"] if one["container"] == "api")
    assert (api["exit_code"], api["reason"].partition(":")[0]) == (137, "OutOfMemoryError")
    running = next(one for one in ended.of("task-observed", "tasks", OTHER) if one["status"] == "RUNNING")
    assert (running["stopped"], running["stop_code"], running["code"]) == ("", "", "")
