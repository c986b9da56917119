"""One local cloud as a process: up, two side by side, what stays after `down` (nothing), a daemon that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from orchestrator.cli.local import local
from orchestrator.errors import Invalid, Locked
from orchestrator.local.core import state
from orchestrator.local.endpoint import client
from tests.local.local_cloud import Aws, LocalCloud, aws_of
from tests.waiting import until

pytestmark = pytest.mark.cloud


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "cloud"
    yield place
    client.down(place)


def cli(*arguments: str) -> str:
    result = CliRunner().invoke(local, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def make_instance(rds: Any, name: str) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="onyx_root",
        MasterUserPassword="stand-in-password",
    )


def exports(folder: Path) -> dict[str, str]:
    lines = cli("env", "--dir", str(folder)).splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def test_up_in_another_process_outlives_it_and_down_leaves_nothing(folder: Path) -> None:
    command = "from orchestrator.cli.local import local; local()"
    asked = [sys.executable, "-c", command, "up", "--dir", str(folder), "--speed", "300"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    assert "leaves out" in said

    running = client.require(folder)
    assert client.ask(running, "status")["pid"] == running.pid
    children = psutil.Process(running.pid).children(recursive=True)
    assert "is down" in cli("down", "--dir", str(folder))
    assert not folder.exists()
    assert not psutil.pid_exists(running.pid) or not state.is_alive(running.pid)
    assert not [child for child in children if child.is_running()]


def test_down_where_nothing_was_is_no_error(folder: Path) -> None:
    assert "was not up" in cli("down", "--dir", str(folder))


def test_up_twice_is_one_cloud(cloud: LocalCloud) -> None:
    assert client.up("again", cloud.folder) == cloud.running


def test_down_in_the_middle_of_a_creation_leaves_no_server(folder: Path) -> None:
    running = client.up("one", folder, speed=300)
    rds = aws_of(LocalCloud(folder, running, client.ask(running, "env"))).client("rds")
    make_instance(rds, "unfinished")
    link = folder / "postgres" / "unfinished"
    until("its data have a place", link.is_symlink)
    data = link.readlink()
    client.down(folder)
    assert not data.parent.exists()
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(data) in (one.info["cmdline"] or [])]


def test_a_claimed_folder_is_locked(folder: Path) -> None:
    marker = state.claim(folder)
    try:
        with pytest.raises(Locked):
            client.up("one", folder)
    finally:
        os.close(marker)


def test_a_folder_with_other_files_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(Invalid, match="local-folder-in-use"):
        client.up("one", folder)
    assert client.down(folder) is False
    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_daemon_that_fails_to_start_says_why_and_leaves_nothing(folder: Path, cloud: LocalCloud) -> None:
    taken = cloud.running.endpoint.rpartition(":")[2]
    with pytest.raises(Exception, match="local-cloud-start"):
        client.up("one", folder, port=int(taken))
    assert not folder.exists()


def test_two_clouds_side_by_side_know_nothing_of_each_other(folder: Path, cloud: LocalCloud, aws: Aws) -> None:
    running = client.up("second", folder, speed=300)
    second = aws_of(LocalCloud(folder, running, client.ask(running, "env")))
    second.client("s3").create_bucket(
        Bucket="only-there", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    assert [bucket["Name"] for bucket in second.client("s3").list_buckets()["Buckets"]] == ["only-there"]
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert running.endpoint != cloud.running.endpoint


def test_a_killed_cloud_is_cleaned_up_by_the_next_one(folder: Path) -> None:
    first = client.up("one", folder, speed=300)
    rds = aws_of(LocalCloud(folder, first, client.ask(first, "env"))).client("rds")
    make_instance(rds, "orphan")
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="orphan", WaiterConfig={"Delay": 1})
    (data,) = state.server_folders(folder)
    postmaster = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))

    os.kill(first.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(first.pid)], timeout=10)
    assert postmaster.is_running()
    second = client.up("one", folder, speed=300)
    assert second.pid != first.pid
    assert not postmaster.is_running()
    assert not data.parent.exists()


def test_env_is_what_a_shell_needs(cloud: LocalCloud) -> None:
    found = exports(cloud.folder)
    assert found["AWS_ENDPOINT_URL"] == cloud.running.endpoint
    assert Path(found["ORCHESTRATE_CA_FILE"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert found["ORCHESTRATE_DATABASE_ADDRESS"] == f"{found['PGHOSTADDR']}:{found['PGPORT']}"


def test_plain_aws_cli_and_localstack_client_work_unchanged(cloud: LocalCloud) -> None:
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **cloud.env}
    query = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"]
    asked = [sys.executable, "-m", "awscli", *query]
    done = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "123456789012"

    program = (
        "from localstack_client.session import Session;"
        "print(Session(region_name='us-west-2').client('sts').get_caller_identity()['Account'])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "123456789012"


def test_faults_are_listed_injected_and_cleared(cloud: LocalCloud) -> None:
    listed = cli("faults", "--dir", str(cloud.folder))
    assert "throttle" in listed
    assert "throttle (all)" in cli("fault", "throttle", "--dir", str(cloud.folder))
    assert "throttle" in cli("status", "--dir", str(cloud.folder))
    assert "none" in cli("fault", "--clear", "--dir", str(cloud.folder))
    with pytest.raises(Invalid, match="no fault 'nonsense'"):
        cli("fault", "nonsense", "--dir", str(cloud.folder))
    with pytest.raises(Invalid, match="affects no single tenant"):
        cli("fault", "throttle", "--tenant", "customer-a", "--dir", str(cloud.folder))


def test_status_counts_the_calls(cloud: LocalCloud, aws: Aws) -> None:
    before = cloud.ask("status")["calls"].get("sts", 0)
    aws.client("sts").get_caller_identity()
    assert cloud.ask("status")["calls"]["sts"] == before + 1
