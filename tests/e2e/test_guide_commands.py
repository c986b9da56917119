"""The guide's own command blocks, word for word but for names, run by the plain `aws` against the local cloud."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.stage import Stage
from tests.waiting import until

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.skipif(
        subprocess.run(["date", "-d", "1 hour ago"], capture_output=True, check=False).returncode != 0,
        reason="the guide's commands use GNU date",
    ),
]

GUIDE = Path(__file__).with_name("guide.md")
TOOLS = Path(sys.executable).parent
RESTORE = "complete-restore-procedure"
STOPPED_TASK = "<stopped-task-arn>"
SECONDS = 600

EXCLUDED: Mapping[str, str] = {
    r"aws logs tail \S+ --follow": "follows until Ctrl-C",
    r"aws logs tail \S+ --since 1h": "only version 2 of the AWS CLI has it; version 1 is the one on PyPI",
    r"watch -n 10 '.*'": "repeats until Ctrl-C",
    r"aws ssm start-session .*": "interactive, and wants the session-manager plugin",
    r"docker (?:.*\\\n)*.*": "for the shell of the Vespa instance, once a session is open",
    r"sleep 15": "the test waits for the fact instead",
    r"dig .*": "not AWS's: a real resolver query is made in test_run.py",
    r"terraform output \w+": "asks a Terraform state: there is none behind this stack",
}
"""Commands that aren't run, each with the reason. A line of a block matches from its beginning to its end."""


@dataclass(frozen=True)
class Block:
    """A bash block of the guide; `name` is its heading and its number below it."""

    name: str
    text: str

    @property
    def commands(self) -> str:
        """Without what is excluded."""
        left = self.text
        for pattern in EXCLUDED:
            left = re.sub(rf"^{pattern}$", "", left, flags=re.MULTILINE)
        return left

    @property
    def is_empty(self) -> bool:
        return not re.sub(r"^\s*#.*$", "", self.commands, flags=re.MULTILINE).strip()


def _blocks() -> Iterator[Block]:
    heading, number, fence, lines = "", 0, "", list[str]()
    for line in GUIDE.read_text().splitlines():
        if line.startswith("```"):
            if fence == "```bash":
                number += 1
                yield Block(f"{heading}-{number}" if number > 1 else heading, "\n".join(lines))
            fence, lines = ("" if fence else line), []
        elif fence:
            lines.append(line)
        elif line.startswith("#"):
            heading, number = re.sub(r"[^a-z0-9]+", "-", line.lower()).strip("-"), 0


BLOCKS = tuple(_blocks())


def _names(stage: Stage) -> dict[str, str]:
    """The guide's names and placeholders → this stack's."""
    contract, ec2 = stage.contract, stage.aws.client("ec2")
    groups = {one["GroupName"]: one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    password = stage.secret(contract["database"]["admin_secret_arn"])["password"]
    host = contract["database"]["host"]
    return {
        "tenant-demo-service": "customer-a-prod-service",
        "tenant-demo-tg": "customer-a-prod-tg",
        "tenant-demo": "customer-a",
        "onyx-prod-postgres.<id>.us-west-2.rds.amazonaws.com": host,
        "<your-password>": password,
        "<rds-security-group-id>": groups["onyx-prod-postgres"],
        "<vespa-sg-id>": groups["onyx-prod-vespa"],
        "$(terraform output -raw alb_dns_name)": contract["load_balancer"]["dns_name"],
        "$(terraform output -raw postgres_endpoint | cut -d: -f1)": host,
    }


def _stopped_task(stage: Stage) -> str:
    """A task that has stopped a moment ago: ECS forgets them after an hour, here after seconds."""
    ecs, cluster = stage.aws.client("ecs"), stage.contract["cluster"]
    for running in ecs.list_tasks(cluster=cluster)["taskArns"][:1]:
        ecs.stop_task(cluster=cluster, task=running, reason="so that there is one")
    return str(
        until("a task has stopped", lambda: ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"])[0]
    )


def _a_task(stage: Stage) -> str:
    """One of the tenant's, which may just be between two tasks."""
    ecs, service = stage.aws.client("ecs"), stage.contract["tenants"]["customer-a"]["service"]
    of_service = {"cluster": stage.contract["cluster"], "serviceName": service}
    return str(until("a task is there", lambda: ecs.list_tasks(**of_service)["taskArns"])[0])


def _run(stage: Stage, block: Block) -> subprocess.CompletedProcess[str]:
    """In bash, strictly, in a directory with the terraform.tfvars that the guide reads the password from."""
    text = block.commands
    for guides, ours in _names(stage).items():
        text = text.replace(guides, ours)
    if STOPPED_TASK in text:
        text = text.replace(STOPPED_TASK, _stopped_task(stage))
    stage.work.mkdir(exist_ok=True)
    password = stage.secret(stage.contract["database"]["admin_secret_arn"])["password"]
    (stage.work / "terraform.tfvars").write_text(f'postgres_password = "{password}"\n')
    earlier = {"VESPA_ID": stage.contract["runner"]["instance_id"]}
    if "TASK_ARN" in text:
        earlier["TASK_ARN"] = _a_task(stage)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env=stage.environment(PATH=f"{TOOLS}{os.pathsep}{os.environ['PATH']}", AWS_PAGER="", **earlier),
        cwd=stage.work,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_the_guide_is_read_whole() -> None:
    assert len(BLOCKS) == GUIDE.read_text().count("```bash")
    assert len({block.name for block in BLOCKS}) == len(BLOCKS)
    assert not [pattern for pattern in EXCLUDED if not any(re.search(pattern, block.text) for block in BLOCKS)]


def test_the_guides_restore_by_hand_makes_the_database(cold: Stage) -> None:
    """The long way, which `orchestrate run` then finishes: the owner, the role, the name, the other tenant.

    Somebody made that database by hand, so it is taken over only when asked.
    """
    block = next(block for block in BLOCKS if block.name == RESTORE)
    done = _run(cold, block)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        f"ACTION REQUIRED: Update demo.vigilon.app CNAME to {cold.contract['load_balancer']['dns_name']}" in done.stdout
    )
    until("the database is there", lambda: cold.databases() == {"onyx_customer_a": "onyx_root"})
    asked = cold.direct()
    assert asked.failures == [("tenant-databases", "customer-a", "database-not-adopted")]
    assert "--adopt-database onyx_customer_a" in asked.stdout
    cold.direct("--adopt-database", "onyx_customer_a").succeeded()
    assert cold.databases() == {"onyx_customer_a": "onyx_customer_a", "onyx_customer_b": "onyx_customer_b"}


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if not block.is_empty and block.name != RESTORE], ids=lambda block: block.name
)
def test_a_block_of_the_guide(alive: Stage, block: Block) -> None:
    done = _run(alive, block)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
