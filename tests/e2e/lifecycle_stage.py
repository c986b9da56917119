"""The stage of destroy and restore: a cloud, a small Terraform stack in it, two tenants who have written something."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from orchestrator.local.endpoint import client
from orchestrator.local.stories.customers import Customers, Fingerprint
from orchestrator.local.world import hosted_zone
from tests import needed
from tests.e2e import small_stack
from tests.e2e.principal import Principal
from tests.e2e.recorder import recording
from tests.e2e.stage import SPEED, Ended, Stage
from tests.e2e.vaults import vault_of
from tests.local.local_cloud import LocalCloud

NAME = "onyx-prod"
FLAGS = ("--json", "--poll", "0.5")


@dataclass
class Lifecycle:
    """The stage, and its Terraform directory; `name` is its stack's, `variables` are given to Terraform."""

    stage: Stage
    folder: Path
    name: str = NAME
    variables: tuple[str, ...] = ()
    transport: str = "direct"
    """`direct` reaches one database server, the cloud's first."""

    def command(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        given = [f"-var={one}" for one in self.variables] + ["--database-transport", self.transport]
        return self.stage.orchestrate(*arguments, "--chdir", str(self.folder), *FLAGS, *given, variables=variables)

    def on_record(self) -> None:
        """From now on through the runner, which IAM is asked about; what the stack is, is written down for `policy`."""
        self.transport = "ssm"
        self.stage.contract = dict(self.customers.contract)
        (self.stage.folder / "contract.json").write_text(json.dumps(self.stage.contract))

    def begun(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The same, in the background: what it says is lost."""
        given = ["--chdir", str(self.folder), *FLAGS, "--database-transport", self.transport]
        command = [sys.executable, "-P", "-m", "orchestrator", *arguments, *given]
        return subprocess.Popen(
            command,
            env=self.stage.environment(),
            cwd=self.stage.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def terraform_works(self) -> bool:
        """It outlives who started it, and holds the state's lock until it has ended."""
        for process in psutil.process_iter(["name", "cwd"]):
            if process.info["name"] in ("terraform", "tofu") and process.info["cwd"] == str(self.folder.resolve()):
                return process.status() != psutil.STATUS_ZOMBIE
        return False

    @property
    def customers(self) -> Customers:
        self.stage.contract = dict(small_stack.contract(self.folder, self.name))
        hosts = json.loads((self.stage.cloud.folder / "hosts.json").read_text())
        ip, port = hosts.get(self.stage.contract["database"]["host"], ("", 0))
        where = {"PGHOSTADDR": ip, "PGPORT": str(port)} if ip else {}
        return Customers(self.stage.environment() | where, self.stage.contract)

    def fingerprint(self) -> Fingerprint:
        return self.customers.fingerprint()

    def databases(self) -> dict[str, str]:
        """Instance → status."""
        found = self.stage.aws.client("rds").describe_db_instances()["DBInstances"]
        return {one["DBInstanceIdentifier"]: one["DBInstanceStatus"] for one in found}

    def clusters(self) -> dict[str, str]:
        """DB cluster → status."""
        found = self.stage.aws.client("rds").describe_db_clusters()["DBClusters"]
        return {one["DBClusterIdentifier"]: one["Status"] for one in found}

    def desired(self) -> dict[str, int]:
        return {tenant: self.stage.service(tenant)["desiredCount"] for tenant in self.customers.contract["tenants"]}

    def backups(self) -> list[str]:
        """Keys in the backups' bucket."""
        s3 = self.stage.aws.client("s3")
        bucket = vault_of(s3, NAME)
        return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])] if bucket else []


@dataclass(frozen=True)
class Somebody:
    """A principal who runs commands on the stack's Terraform directory; Terraform itself has keys of its own."""

    place: Lifecycle
    who: Principal

    def calls(self, *arguments: str) -> Ended:
        local = self.place.stage.environment()
        worlds = {f"WORLD_{name}": local[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
        return self.place.command(*arguments, variables={**self.who.keys, **worlds})


@contextmanager
def lifecycle(
    folder: Path, *, snapshots: bool = True, enforce_iam: bool = False, aurora: bool = False
) -> Iterator[Lifecycle]:
    """Applied, alive, with rows, files and documents; customer-b is to have two tasks.

    Without `snapshots` its Terraform can't begin with any; with `aurora` its database server is a cluster.
    """
    needed.terraform()
    running = client.up("lifecycle", folder / "cloud", speed=SPEED, enforce_iam=enforce_iam)
    try:
        cloud = LocalCloud(folder / "cloud", running, client.ask(running, "env"))
        with recording(running.endpoint) as recorder:
            stage = Stage(cloud, folder, recorder)
            hosted_zone(stage.aws.client("route53"), "vigilon.app")
            stage.work.mkdir()
            made = Lifecycle(stage, small_stack.write(stage.work / "stack", snapshots=snapshots, aurora=aurora))
            made.command("apply", "--auto-approve").succeeded()
            for tenant in made.customers.contract["tenants"]:
                made.customers.write(tenant, 0, 12)
            service = stage.contract["tenants"]["customer-b"]["service"]
            stage.aws.client("ecs").update_service(cluster=stage.contract["cluster"], service=service, desiredCount=2)
            yield made
    finally:
        client.down(folder / "cloud")
