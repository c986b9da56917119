"""Every command says what it needs; the document is valid, complete, and fits into one managed policy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator import contract, policy
from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.errors import Invalid
from orchestrator.policy.commands import RUN
from orchestrator.policy.grants import Grant

ACCOUNT = "us-west-2:123456789012"
SECRET = f"arn:aws:secretsmanager:{ACCOUNT}:secret:onyx-prod"


def stack(*tenants: str, provider: str = "route53") -> dict[str, Any]:
    return {
        "schema": 1,
        "stack": "onyx-prod",
        "account_id": "123456789012",
        "region": "us-west-2",
        "cluster": "onyx-prod-cluster",
        "database": {
            "instance": "onyx-prod-postgres",
            "host": "db.example.com",
            "admin_user": "root",
            "admin_secret_arn": f"{SECRET}/admin-AbCdEf",
        },
        "runner": {"instance_id": "i-0a"},
        "load_balancer": {
            "arn": f"arn:aws:elasticloadbalancing:{ACCOUNT}:loadbalancer/app/onyx/1",
            "dns_name": "onyx.example.com",
            "zone_id": "Z1",
        },
        "dns": {"provider": provider, "zone": "example.com"},
        "tenants": {
            name: {
                "database": f"onyx_{name}",
                "role": f"onyx_{name}",
                "secret_arn": f"{SECRET}/tenant-{name}-AbCdEf",
                "service": f"{name}-service",
                "hostname": f"{name}.example.com",
                "target_group_arn": f"arn:aws:elasticloadbalancing:{ACCOUNT}:targetgroup/{name}/1",
                "log_group": f"/ecs/{name}",
            }
            for name in tenants
        },
    }


def scope(*tenants: str, provider: str = "route53", **more: Any) -> policy.Scope:
    return policy.Scope(contract.parse(stack(*tenants, provider=provider), "test"), **more)


def leaves() -> Iterator[str]:
    root = click.Context(orchestrate)
    for name in COMMANDS:
        command = orchestrate.get_command(root, name)
        yield from (f"{name} {part}" for part in command.commands) if isinstance(command, click.Group) else [name]


def test_every_command_says_what_it_needs() -> None:
    known = set(leaves())
    told = {leaf for leaf in known if leaf in policy.COMMANDS or leaf.split()[0] in policy.COMMANDS}
    assert told == known, "add an entry to orchestrator/policy/commands.py"
    stale = [name for name in policy.COMMANDS if not any(leaf == name or leaf.split()[0] == name for leaf in known)]
    assert stale == []


def test_a_group_stands_for_its_commands() -> None:
    assert policy.chosen(["dns", "run"]) == ["dns plan", "dns apply", "dns check", "dns undo", "run"]


def test_unknown_commands_are_all_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        policy.chosen(["run", "dns everything", "nothing"])
    assert [problem.code for problem in caught.value.problems] == ["command-unknown"] * 2


def test_each_action_stands_in_one_statement_for_a_condition() -> None:
    made = policy.policy(RUN, scope("a", "b", lock=("state", "prod.lock")))
    pairs = [(action, json.dumps(one.condition)) for one in made.statements for action in one.actions]
    assert len(pairs) == len(set(pairs))


def resources(made: policy.Policy, action: str) -> list[str]:
    return [resource for one in made.statements if action in one.actions for resource in one.resources]


def test_only_this_stacks_parts_are_named() -> None:
    made = policy.policy(policy.COMMANDS["run"], scope("a"))
    assert resources(made, "ecs:UpdateService") == [f"arn:aws:ecs:{ACCOUNT}:service/onyx-prod-cluster/a-service"]
    assert resources(made, "ssm:SendCommand") == [
        f"arn:aws:ec2:{ACCOUNT}:instance/i-0a",
        "arn:aws:ssm:us-west-2::document/AWS-RunShellScript",
    ]
    assert resources(made, "secretsmanager:GetSecretValue") == [f"{SECRET}/tenant-a-AbCdEf"]
    assert "s3:PutObject" not in made.actions
    assert "elasticache:ModifyReplicationGroup" not in made.actions, "the stack has no Redis"


def test_a_direct_connection_reads_the_logins_and_sends_no_script() -> None:
    made = policy.policy(policy.COMMANDS["status"], scope("a", direct=True))
    assert resources(made, "secretsmanager:GetSecretValue") == [f"{SECRET}/admin-AbCdEf", f"{SECRET}/tenant-a-AbCdEf"]
    assert not any(action.startswith("ssm:") for action in made.actions)


def test_another_dns_provider_needs_nothing_of_route53() -> None:
    made = policy.policy(policy.COMMANDS["run"], scope("a", provider="porkbun"))
    assert not any(action.startswith("route53:") for action in made.actions)


def test_the_lock_in_s3_is_one_object() -> None:
    made = policy.policy(
        policy.COMMANDS["unlock"], scope("a", lock=("state", "prod/terraform.tfstate.orchestrate-lock"))
    )
    assert resources(made, "s3:DeleteObject") == ["arn:aws:s3:::state/prod/terraform.tfstate.orchestrate-lock"]
    assert "s3:PutObject" not in made.actions


def test_a_zones_id_narrows_it() -> None:
    made = policy.policy(policy.COMMANDS["dns apply"], scope("a", zone_ids=("Z0123",)))
    assert resources(made, "route53:ChangeResourceRecordSets") == ["arn:aws:route53:::hostedzone/Z0123"]


def covers(made: policy.Policy, one: Any) -> bool:
    """Whether something that the full policy allows is allowed by the shorter one too."""
    for other in made.statements:
        here = set(one.actions) <= set(other.actions)
        named = all(any(fnmatchcase(arn, pattern) for pattern in other.resources) for arn in one.resources)
        before, after = _values(one.condition), _values(other.condition)
        if here and named and all(any(fnmatchcase(value, pattern) for pattern in after) for value in before):
            return True
    return False


def _values(condition: Any) -> list[str]:
    return [value for keys in condition.values() for values in keys.values() for value in values]


@given(
    some.lists(some.from_regex(r"[a-z]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True), min_size=1, max_size=60, unique=True)
)
def test_however_many_tenants_it_fits_and_allows_all_it_must(names: list[str]) -> None:
    asked = scope(*names)
    full, made = policy.policy(RUN, asked, limit=10**9), policy.policy(RUN, asked)
    assert made.size <= policy.LIMIT
    assert made.actions == full.actions
    assert all(covers(made, one) for one in full.statements)
    assert bool(made.widened) == (full.size > policy.LIMIT)
    assert not any(resource.endswith("instance/*") for resource in resources(made, "ssm:SendCommand"))


def test_what_needs_nothing_allows_nothing() -> None:
    assert policy.policy(policy.COMMANDS["dns check"], scope("a")).statements == ()


def test_an_action_on_everything_needs_no_arn() -> None:
    grants = [Grant(("x:Y",), lambda _scope: ["arn:aws:x:::z"]), Grant(("x:Y",))]
    assert resources(policy.policy(grants, scope("a")), "x:Y") == ["*"]


def test_it_is_printed_without_asking_aws(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(stack("a")))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", "policy", "status", "plan", "--contract", "contract.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    )
    assert json.loads(done.stdout) == policy.policy(policy.COMMANDS["status"], scope("a")).as_json()
    assert "Terraform" in done.stderr
