"""The second cloud: ministack in an environment of its own, with a real PostgreSQL, names and sites beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import urllib3

from orchestrator.local.core import api
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.core.waiting import eventually
from orchestrator.local.rds import postgres
from orchestrator.local.ssm import instance
from orchestrator.local.toolchain import pypi
from tests.second_cloud import edge, shim

PINNED = "ministack==1.5.33"
ACCOUNT = "222233334444"
REGION = "us-west-2"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "second"}
"""ministack takes a key of twelve digits for the account."""
START_SECONDS = 90.0


class SecondCloudError(Exception):
    """It doesn't start; the message says why."""


@dataclass(frozen=True)
class SecondCloud:
    """`environment` leads aws, terraform and orchestrate to it. `machine`: our stand-ins' side of it."""

    folder: Path
    machine: Cloud
    environment: Mapping[str, str]

    def client(self, service: str) -> Any:
        """boto3 against it."""
        return api.client(self.environment, service)

    def server(self, instance_id: str, master: str, password: str) -> None:
        """There is a PostgreSQL behind the database instance from now on."""
        host, servers = shim.address_of(instance_id), self.machine.databases
        assert servers is not None
        self.machine.addresses.publish(
            host, servers.create(instance_id, host, master=master, password=password, database=None)
        )
        instance.publish_hosts(self.machine)


def installed(tools: Path) -> Path:
    """The Python that has ministack, installed where it is missing. Raises Invalid `download-failed`."""
    return pypi.installed(pypi.Package(PINNED), tools) / "bin" / "python"


@contextmanager
def second_cloud(folder: Path, python: Path, hostnames: list[str]) -> Iterator[SecondCloud]:
    """Up in seconds, and everything of it gone afterwards."""
    machine = _machine(folder)
    stop = postgres.start(machine)
    try:
        machine.endpoint = f"http://127.0.0.1:{_free_port()}"
        instance.furnish(machine)
        with _ministack(machine, python):
            route53 = SecondCloud(folder, machine, _access(machine)).client("route53")
            with edge.name_server(edge.records(route53)) as resolver, edge.site(machine.ca, hostnames) as port:
                yield SecondCloud(folder, machine, _environment(machine, resolver, port))
    finally:
        machine.pace.stop()
        stop()


def _machine(folder: Path) -> Cloud:
    log = (folder / "machine.log").open("a")
    machine = Cloud(folder, Pace(), trustme.CA(), Faults(), lambda line: print(line, file=log, flush=True))
    machine.ca.cert_pem.write_to_path(str(machine.ca_file))
    return machine


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _access(machine: Cloud) -> dict[str, str]:
    return KEYS | {"AWS_ENDPOINT_URL": machine.endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


def _environment(machine: Cloud, resolver: str, site_port: int) -> dict[str, str]:
    return _access(machine) | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "ORCHESTRATE_CA_FILE": str(machine.ca_file),
        "ORCHESTRATE_RESOLVER": resolver,
        "ORCHESTRATE_SITE_PORT": str(site_port),
        "NO_PROXY": "127.0.0.1,localhost",
    }


@contextmanager
def _ministack(machine: Cloud, python: Path) -> Iterator[None]:
    scripts = instance.environment(machine, shim.INSTANCE, REGION) | KEYS
    settings = machine.directory / "shim.json"
    settings.write_text(json.dumps({"environment": scripts}))
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    place = {
        "HOME": str(machine.directory),
        "GATEWAY_PORT": machine.endpoint.rpartition(":")[2],
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "REDIS_HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
    }
    with (machine.directory / "ministack.log").open("ab") as log:
        process = subprocess.Popen(
            [python, "-I", shim.__file__, str(settings)],
            env=kept | place,
            cwd=machine.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        if not eventually(lambda: _answers(machine.endpoint) or process.poll() is not None, START_SECONDS, 0.2):
            raise SecondCloudError(f"ministack does not answer after {START_SECONDS:.0f} s")
        if process.poll() is not None:
            tail = (machine.directory / "ministack.log").read_text(errors="replace")[-1000:]
            raise SecondCloudError(f"ministack ended with status {process.returncode}:\n{tail}")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(endpoint: str) -> bool:
    try:
        return urllib3.request("GET", f"{endpoint}/_ministack/health", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
