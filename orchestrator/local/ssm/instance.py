"""What an instance is to a script: its environment and its tools.

`<cloud.bin>` holds psql (the real one, led to the real server), aws (the real CLI), python3 (the interpreter below the
virtual environment, without our packages, to which AWS's names lead where the cloud is), and tiny doubles of docker,
curl and systemctl that know the containers of Vespa and OpenSearch. Left out: the instance's own file system, users and
user_data (the container that it would have started is there from the beginning), its network (security groups are not
felt), and the credentials of its role (dummy ones are there).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.secretsmanager.models import secretsmanager_backends

import orchestrator
from orchestrator.errors import OrchestratorError
from orchestrator.local.core.cloud import ACCOUNT, REGION
from orchestrator.local.ec2 import volumes
from orchestrator.local.opensearch.node import NodeSetup, OpenSearchNode, OpenSearchNodes
from orchestrator.local.rds import postgres
from orchestrator.local.ssm import client_tls
from orchestrator.local.ssm.tools import containers, curl, docker, pg_client, psql, systemctl, vespa

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

VPC = Path(__file__).with_name("tools") / "vpc"
"""What an instance's python3 loads at its start: the network as the instance sees it."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def folder(cloud: Cloud, instance_id: str) -> Path:
    """The instance's own folder: home, state of its containers, commands that run."""
    return cloud.directory / "instances" / instance_id


def environment(cloud: Cloud, instance_id: str, region: str) -> dict[str, str]:
    """The whole environment of a script; nothing of ours is inherited."""
    home = folder(cloud, instance_id) / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": _path(cloud),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # In place of the metadata service's: whoever enforces IAM finds the instance's role by it.
        "AWS_ACCESS_KEY_ID": instance_id,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "AWS_SSM_INSTANCE_ID": instance_id,
        "PGSSLROOTCERT": str(cloud.ca_file),
        "SSL_CERT_FILE": str(cloud.ca_file),
        containers.STATE: str(state_file(cloud, instance_id)),
        vespa.DATA: str(data(cloud, instance_id, region)),
        **_node(cloud, instance_id),
    }


def _path(cloud: Cloud) -> str:
    """Our tools before the system's; under the fault `runner-without-psql` links to all of them but psql."""
    folders = [cloud.bin, *map(Path, SYSTEM_PATH.split(":"))]
    if not cloud.faults.active("runner-without-psql"):
        return ":".join(map(str, folders))
    linked = cloud.directory / "bin-without-psql"
    if not linked.exists():
        programs = {program.name: program for folder in reversed(folders) for program in _programs(folder)}
        made = Path(tempfile.mkdtemp(dir=cloud.directory))
        made.chmod(0o755)
        for name in programs.keys() - {"psql"}:
            (made / name).symlink_to(programs[name])
        try:
            made.rename(linked)  # at once: another command may be about to run
        except OSError:  # another one was quicker
            shutil.rmtree(made)
    return str(linked)


def _programs(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def vespa_runs(cloud: Cloud, instance_id: str) -> bool:
    """Whether the instance's Vespa container runs (the state that docker start, stop and rm change)."""
    return containers.runs(state_file(cloud, instance_id))


def data(cloud: Cloud, instance_id: str, region: str) -> Path:
    """Where /opt/vespa is: on the instance's data volume, else on its root disk."""
    volume = volumes.of_instance(ACCOUNT, region, instance_id)
    return volumes.folder(cloud, volume) if volume else folder(cloud, instance_id) / "root"


def state_file(cloud: Cloud, instance_id: str) -> Path:
    """The file with the state of its Vespa container; the other's is beside it.

    An instance has the one that its user_data starts: Vespa's, unless that starts OpenSearch.
    """
    file = folder(cloud, instance_id) / "vespa.state"
    other = containers.beside(file, containers.OPENSEARCH)
    if not other.exists() and re.search(r"--name[ =]opensearch\b", user_data(instance_id)):
        other.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(containers.ABSENT)
        other.write_text(containers.RUNNING)
    return file


def user_data(instance_id: str) -> str:
    """What the instance was given to do at its first start."""
    # A list at once: requests change moto's dictionaries while we look.
    for reservation in list(ec2_backends[ACCOUNT][REGION].reservations.values()):
        for one in list(reservation.instances):
            if one.id == instance_id:
                return _decoded(one.user_data)
    return ""


def _decoded(given: Any) -> str:
    """Moto keeps it as it came: encoded, or (of older callers) in clear."""
    text = given.decode() if isinstance(given, bytes) else str(given or "")
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text


def opensearch(cloud: Cloud, instance_id: str) -> OpenSearchNode | None:
    """The node of the instance's OpenSearch container, whether that runs or not; None: it has never had one."""
    file = containers.beside(state_file(cloud, instance_id), containers.OPENSEARCH)
    if not file.exists():
        return None
    return cloud.shared(OpenSearchNodes).node(instance_id, lambda: _setup(cloud, instance_id, file))


def _setup(cloud: Cloud, instance_id: str, file: Path) -> NodeSetup:
    """`started` changes with each start of the container."""

    def started() -> float | None:
        return containers.changed_at(file).timestamp() if containers.runs(file) else None

    return NodeSetup(
        folder=data(cloud, instance_id, REGION) / "data",
        started=started,
        password=lambda: secret_of(user_data(instance_id)),
        environment=lambda: dict(one.partition("=")[::2] for one in containers.made(file).environment),
        version=lambda: containers.made(file).image.partition(":")[2],
        scaled=cloud.pace.scaled,
    )


def secret_of(script: str) -> str | None:
    """The password that a user_data fetches for its container: the value, or its `password`; None: it names no secret.

    user_data is not run: what it would write into the container's environment is read where it would read it.
    """
    named = re.search(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]+:secret:[\w/+=.@-]+", script)
    if named is None:
        return None
    for backend in secretsmanager_backends[ACCOUNT].values():
        for secret in backend.secrets.values():
            if secret.arn == named[0]:
                text = str(secret.versions[str(secret.default_version_id)]["secret_string"])
                return str(json.loads(text)["password"]) if text.startswith("{") else text
    return None


def _node(cloud: Cloud, instance_id: str) -> dict[str, str]:
    """Where the instance's curl finds its OpenSearch."""
    node = opensearch(cloud, instance_id)
    return {curl.NODE: str(node.port)} if node else {}


def publish_hosts(cloud: Cloud) -> None:
    """Write the cloud's addresses where psql looks them up, when they changed."""
    file = hosts_file(cloud)
    text = json.dumps({name: [at.ip, at.port] for name, at in sorted(cloud.addresses.all().items())}, indent=1)
    if file.exists() and file.read_text() == text:
        return
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix="hosts-")
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    Path(temporary).replace(file)


def hosts_file(cloud: Cloud) -> Path:
    """Host name → [ip, port], JSON."""
    return cloud.directory / "hosts.json"


def furnish(cloud: Cloud) -> None:
    """Put the tools into `cloud.bin` (by default `<dir>/bin`)."""
    if cloud.bin == Path():
        cloud.bin = cloud.directory / "bin"
    cloud.bin.mkdir(parents=True, exist_ok=True)
    publish_hosts(cloud)
    plain_python = getattr(sys, "_base_executable", sys.executable)
    # Without site-packages they start in two thirds of the time, and there are thousands of them.
    double = ["env", f"PYTHONPATH={Path(orchestrator.__file__).parents[1]}", sys.executable, "-S", "-P", "-m"]
    tools = {
        "aws": [sys.executable, "-P", "-m", "awscli"],
        "python3": ["env", f"PYTHONPATH={VPC}", f"VPC_HOSTS={hosts_file(cloud)}", plain_python],
        "docker": [*double, docker.__name__],
        "curl": [*double, curl.__name__],
        "systemctl": [*double, systemctl.__name__],
    }
    tools |= _clients(cloud, [plain_python, "-I", "-S"])
    for name, command in tools.items():
        tool = cloud.bin / name
        tool.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        tool.chmod(0o755)


def _clients(cloud: Cloud, python: list[str]) -> dict[str, list[str]]:
    """PostgreSQL's client programs, as commands; TLS is lent to those that have none."""
    client = real_psql()
    if client is None:
        cloud.log("no psql found: the instances have none (install a PostgreSQL client)")
        return {}
    before: list[str] = []
    if not client_tls.has_tls(client):
        before = client_tls.preload()
        if not before:
            cloud.log(f"{client} has no TLS, which RDS demands: install a PostgreSQL client that has it")
    programs = {"psql": psql, "pg_dump": pg_client, "pg_restore": pg_client}
    return {
        name: [*before, *python, str(leader.__file__), str(real), str(hosts_file(cloud))]
        for name, leader in programs.items()
        if (real := client.with_name(name)).is_file()
    }


def real_psql() -> Path | None:
    """The psql of this machine: beside the server's binaries, on PATH, where pg_config says or Debian puts it.

    One without TLS only where it can be lent some, or where there is no other.
    """
    there = [one for folder in _client_folders() if (one := folder / "psql").is_file()]
    lendable = bool(client_tls.preload())
    return next((one for one in there if lendable or client_tls.has_tls(one)), next(iter(there), None))


def _client_folders() -> Iterator[Path]:
    with contextlib.suppress(OrchestratorError):  # no server on this machine: a client alone may be there
        yield postgres.binaries()
    if on_path := shutil.which("psql"):
        yield Path(on_path).parent
    if config := shutil.which("pg_config"):
        yield Path(subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip())
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
