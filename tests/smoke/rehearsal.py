"""The kit, tried on clouds that cost nothing: `python -m tests.smoke.rehearsal [NAME…]`, or all.

`local`: the whole story, with a name in a zone of Route 53. `ministack`: the whole story without a domain, on a cloud
that nobody here wrote. `apply`, `steps`, `run`, `pause`, `backup`, `destroy`, `restore`: killed in the middle of that,
with all that it has started; each call first takes away what the one before has left. Afterwards the account must be as
it was, nothing in it by another name or tag, and the record must tell nobody's name; of the two whole stories it is
kept in `.orchestrate/rehearsal`. The last line is `N passed, N failed`.

What ministack can't show: see tests.second_cloud. Behind its RDS are real servers here, snapshots included (`front`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import psutil

from orchestrator.errors import OrchestratorError
from orchestrator.local.core import api
from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain
from tests import relay
from tests.second_cloud import cloud as second
from tests.second_cloud.front import Front
from tests.smoke.kinds import OF_ANY_KEY

MARK = "zqxjk"
"""No word that anybody would say by chance."""
ZONE, HOSTNAME = f"{MARK}.app", f"smoke.{MARK}.app"
SPEED = 60.0
RECORDS = Path(".orchestrate") / "rehearsal"

INHERITED = ("PATH", "LANG", "TMPDIR", "HOME", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TERRAFORM_BIN")
EVERYTHING: Sequence[tuple[str, str, str]] = (
    ("ec2", "describe_instances", "Reservations[].Instances[] | [?State.Name != 'terminated'].InstanceId"),
    # A root volume goes with its instance, which is asked for above; ministack keeps it, still attached.
    ("ec2", "describe_volumes", "Volumes[?!(Attachments[?DeleteOnTermination])].VolumeId"),
    ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    ("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    ("rds", "describe_db_snapshots", "DBSnapshots[].DBSnapshotIdentifier"),
    ("elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"),
    ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("secretsmanager", "list_secrets", "SecretList[].ARN"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
)
"""Of a whole account, whoever it is that has made it."""


class RehearsalError(Exception):
    """Not as it should be."""


@dataclass(frozen=True)
class Station:
    """A place in the story: the first line like `line` that this command of orchestrate says."""

    command: str
    line: str

    def reached(self, lines: Iterable[str]) -> Iterator[bool]:
        """For each line of the kit, whether it is that."""
        command = ""
        for one in lines:
            if "$ orchestrate " in one:
                command = one.partition("$ orchestrate ")[2].split()[0]
            yield command == self.command and bool(re.search(self.line, one))


STATIONS: Mapping[str, Station] = {
    "apply": Station("apply", r"… \d+ done; .*aws_db_instance"),
    "steps": Station("apply", r"… tenant-databases "),
    "run": Station("run", r"✓ dns-records "),
    "pause": Station("pause", r"… database-stopped "),
    "backup": Station("backup", r"… index-snapshots .* take the snapshot"),
    "destroy": Station("destroy", r"… \d+ done; "),
    "restore": Station("restore", r" files-returned "),
}
NAMES = ("local", *STATIONS, "ministack")


@dataclass(frozen=True)
class Place:
    """A cloud, and a folder to work in."""

    folder: Path
    account: str
    environment: Mapping[str, str]

    def kit(self, *arguments: str) -> subprocess.Popen[str]:
        """`scripts/smoke-aws`, begun."""
        command = [sys.executable, "-P", "-m", "tests.smoke", "--yes", self.account, "--mark", MARK, *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def inventory(self) -> Mapping[str, list[str]]:
        """All that is in the account, and in the zone."""
        found = {}
        for service, operation, what in EVERYTHING:
            pages = api.client(self.environment, service).get_paginator(operation).paginate()
            found[f"{service} {operation}"] = sorted(pages.search(what))
        snapshots = api.client(self.environment, "ec2").get_paginator("describe_snapshots").paginate(OwnerIds=["self"])
        certificates = api.client(self.environment, "acm").get_paginator("list_certificates").paginate(**OF_ANY_KEY)
        ecs = api.client(self.environment, "ecs")
        clusters = list(ecs.get_paginator("list_clusters").paginate().search("clusterArns[]"))
        dns = api.client(self.environment, "route53")
        zones = dns.get_paginator("list_hosted_zones").paginate().search("HostedZones[].Id")
        records = dns.get_paginator("list_resource_record_sets")
        return found | {
            "certificates": sorted(certificates.search("CertificateSummaryList[].CertificateArn")),
            "snapshots of volumes": sorted(snapshots.search("Snapshots[].SnapshotId")),
            # What is inactive is deleted, and goes on being listed for a while.
            "clusters": sorted(
                one["clusterArn"]
                for one in ecs.describe_clusters(clusters=clusters)["clusters"]
                if one["status"] != "INACTIVE"
            ),
            "records": sorted(
                name
                for zone in zones
                for name in records.paginate(HostedZoneId=zone).search("ResourceRecordSets[].Name")
            ),
        }


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Nothing of it goes on, whatever happens here."""
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """With everything that it has started."""
    with suppress(psutil.NoSuchProcess):
        kit = psutil.Process(process.pid)
        for one in (kit, *kit.children(recursive=True)):
            one.kill()
    process.wait()


def told(process: subprocess.Popen[str]) -> Iterator[str]:
    """Its output, as it comes."""
    for line in process.stdout or ():
        click.echo(line.rstrip())
        yield line


def finished(process: subprocess.Popen[str]) -> None:
    """Raises RehearsalError unless it ends well."""
    with ended(process):
        for _line in told(process):
            pass
        if status := process.wait():
            raise RehearsalError(f"the kit ended with {status}")


def whole(place: Place, name: str, *arguments: str) -> None:
    """From begin to end. The record is kept by this name."""
    finished(place.kit(*arguments, "--out", "record.jsonl"))
    record = (place.folder / "record.jsonl").read_text()
    RECORDS.mkdir(parents=True, exist_ok=True)
    (RECORDS / f"{name}.jsonl").write_text(record)
    if names := [word for word in (place.account, MARK, "arn:", "://") if word in record]:
        raise RehearsalError(f"the record tells {names}")
    by = {one for one in ("orchestrate", "terraform") if f'"by": "{one}"' in record}
    if len(by) < 2 or '"call": "?"' in record:
        raise RehearsalError(f"the record is of {by} only, or of calls that nobody knows")


def killed(place: Place, station: Station, *arguments: str) -> None:
    """Begun, and killed at this station. Raises RehearsalError where it never comes there."""
    with ended(place.kit(*arguments, "--out", "record.jsonl")) as process:
        if not any(station.reached(told(process))):
            raise RehearsalError(f"it ended with {process.wait()} before it could be killed at {station}")


@contextmanager
def local_cloud() -> Iterator[Place]:
    """With a zone."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-smoke-") as folder:
        running = client.up("smoke", Path(folder) / "cloud", speed=SPEED)
        try:
            place = Place(Path(folder), ACCOUNT, _inherited() | client.ask(running, "env"))
            api.client(place.environment, "route53").create_hosted_zone(Name=ZONE, CallerReference=MARK)
            yield place
        finally:
            client.down(Path(folder) / "cloud")


@contextmanager
def ministack() -> Iterator[Place]:
    """With real database servers."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-smoke-") as folder:
        python = second.installed(toolchain.tool_folder(os.environ))
        with second.second_cloud(Path(folder), python, [f"smoke-{MARK}.invalid"]) as cloud:
            front = Front(cloud.machine, cloud.machine.endpoint)
            with relay.serving(front) as endpoint:
                told = {**_inherited(), **cloud.environment, "AWS_ENDPOINT_URL": endpoint}
                yield Place(Path(folder), second.ACCOUNT, told)


def _inherited() -> dict[str, Any]:
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "ORCHESTRATE_POLL": "1"}


def _unchanged(place: Place, tell: Callable[[], None]) -> None:
    before = place.inventory()
    tell()
    after = place.inventory()
    if changed := {what: after[what] for what in before if after[what] != before[what]}:
        raise RehearsalError(f"the account is not as it was: {changed}")


def tell_locally() -> None:
    """The whole story."""
    with local_cloud() as place:
        _unchanged(place, lambda: whole(place, "local", "--hostname", HOSTNAME, "--zone", ZONE))


def tell_of_kills(names: Sequence[str]) -> None:
    """Each call cleans up after the one before."""

    def tell() -> None:
        for name in names:
            killed(place, STATIONS[name], "--hostname", HOSTNAME, "--zone", ZONE)
        finished(place.kit("--only-clean"))

    with local_cloud() as place:
        _unchanged(place, tell)


def tell_on_ministack() -> None:
    """The whole story."""
    with ministack() as place:
        _unchanged(place, lambda: whole(place, "ministack"))


def stories(names: Sequence[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Those that are named, in their order."""
    if "local" in names:
        yield "local", tell_locally
    if kills := [name for name in STATIONS if name in names]:
        yield f"killed in {', '.join(kills)}", partial(tell_of_kills, kills)
    if "ministack" in names:
        yield "ministack", tell_on_ministack


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(names: Sequence[str]) -> None:
    """Rehearse the kit for the first real account: all, or these parts."""
    passed = failed = 0
    for name, tell in stories(names or NAMES):
        click.secho(f"== {name}", bold=True)
        try:
            tell()
            passed += 1
        except (RehearsalError, second.SecondCloudError, OrchestratorError) as failure:
            click.echo(f"{name}: {failure}", err=True)
            failed += 1
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
