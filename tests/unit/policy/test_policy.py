"""Every command says what it needs; the document is valid, complete, and fits into one managed policy."""

from __future__ import annotations

import json
import re
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
from pydantic import SecretStr

from orchestrator import policy
from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.errors import Invalid
from orchestrator.policy.commands import RUN, TAKES_CONTRACT
from orchestrator.policy.grants import Grant
from orchestrator.stack import contract

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


def scope(*tenants: str, provider: str = "route53", **more: Any) -> policy.PolicyScope:
    return policy.PolicyScope(contract.parse(stack(*tenants, provider=provider), "test"), **more)


def leaves() -> Iterator[str]:
    root = click.Context(orchestrate)
    for name in COMMANDS:
        command = orchestrate.get_command(root, name)
        yield from (f"{name} {part}" for part in command.commands) if isinstance(command, click.Group) else [name]


def test_every_command_says_what_it_needs() -> None:
    known = set(leaves())
    told = {leaf for leaf in known if leaf in policy.COMMANDS or leaf.split()[0] in policy.COMMANDS}
    assert told == known, "add an entry to orchestrator/policy/commands.py"
    groups = {leaf.split()[0] for leaf in known}
    stale = [name for name in policy.COMMANDS if name not in known | groups and said_more(name) is None]
    assert stale == []


def said_more(name: str) -> click.Parameter | None:
    """The option or argument that `name` adds to a command: `doctor --fix`, `logs vespa`."""
    first, _, more = name.partition(" ")
    if first not in COMMANDS:
        return None
    command = orchestrate.get_command(click.Context(orchestrate), first)
    assert command is not None
    return next((one for one in command.params if more in one.opts or more in getattr(one.type, "choices", ())), None)


def test_every_command_that_takes_a_contract_may_read_it_from_s3() -> None:
    root = click.Context(orchestrate)
    taking = set()
    for name in COMMANDS:
        command = orchestrate.get_command(root, name)
        members = command.commands.values() if isinstance(command, click.Group) else [command]
        if any("--contract" in option.opts for one in members if one for option in one.params):
            taking.add(name)
    assert taking == TAKES_CONTRACT
    in_s3 = scope("a", contract=("states", "prod/terraform.tfstate"))
    made = policy.policy(policy.needed(["tasks"]), in_s3)
    assert resources(made, "s3:GetObject") == ["arn:aws:s3:::states/prod/terraform.tfstate"]
    assert resources(made, "s3:ListBucket") == ["arn:aws:s3:::states"]
    assert "s3:GetObject" not in policy.policy(policy.needed(["demo", "tasks"]), scope("a")).actions


def test_a_group_stands_for_its_commands() -> None:
    assert policy.chosen(["dns", "run"]) == ["dns plan", "dns apply", "dns check", "dns undo", "run"]


def test_an_option_that_needs_more_is_asked_for_by_itself() -> None:
    assert policy.chosen(["doctor"]) == ["doctor"]
    look, mend = (policy.policy(policy.COMMANDS[name], scope("a")) for name in ("doctor", "doctor --fix"))
    assert "ecs:UpdateService" in mend.actions - look.actions


CHANGING = re.compile(
    r":(Add|Change|Create|Delete|Modify|Open|Put|Register|Remove|Resume|Send|Start|Stop|Tag|Terminate|Untag|Update)"
)


@pytest.mark.parametrize("name", ["plan", "preflight", "status", "doctor", "doctor --bundle", "tasks", "logs"])
def test_who_looks_may_change_nothing(name: str) -> None:
    made = policy.policy(policy.COMMANDS[name], scope("a"))
    assert {action for action in made.actions if CHANGING.search(action)} <= {"ssm:SendCommand"}


def lending(**more: Any) -> policy.PolicyScope:
    """A stack one of whose passwords only Terraform's state knows."""
    known = contract.parse(stack("a"), "test")
    tenant = known.tenants["a"].model_copy(update={"secret_arn": None, "password": SecretStr("s3cret")})
    return policy.PolicyScope(known.model_copy(update={"tenants": {"a": tenant}}), **more)


def test_passwords_are_lent_only_where_no_secret_holds_them() -> None:
    place = f"arn:aws:ssm:{ACCOUNT}:parameter/orchestrate/onyx-prod"
    lent = policy.policy(policy.COMMANDS["run"], lending())
    assert resources(lent, "ssm:PutParameter") == resources(lent, "ssm:DeleteParameters") == [f"{place}/*"]
    assert resources(lent, "ssm:GetParametersByPath") == [place, f"{place}/*"]
    for none in (lending(direct=True), scope("a")):
        actions = policy.policy(policy.COMMANDS["run"], none).actions
        assert not {action for action in actions if "Parameter" in action}
    assert "s3cret" not in json.dumps(lent.as_json())


def test_parameters_that_hold_logins_are_read_as_parameters() -> None:
    parameter = f"arn:aws:ssm:{ACCOUNT}:parameter/onyx/admin"
    document = stack("a")
    document["database"]["admin_secret_arn"] = parameter
    asked = policy.PolicyScope(contract.parse(document, "test"), direct=True)
    made = policy.policy(policy.COMMANDS["status"], asked)
    assert resources(made, "ssm:GetParameter") == [parameter]
    assert parameter not in resources(made, "secretsmanager:GetSecretValue")


def test_a_backup_s_parts_are_this_stack_s() -> None:
    made = policy.policy(policy.COMMANDS["backup --prune"], scope("a", backups="kept"))
    assert resources(made, "s3:DeleteObjectVersion") == ["arn:aws:s3:::kept/*"]
    assert resources(made, "rds:DeleteDBSnapshot") == [f"arn:aws:rds:{ACCOUNT}:snapshot:onyx-prod-????????-??????"]
    assert not policy.policy(policy.COMMANDS["backup"], scope("a", backups="kept")).actions & {
        "rds:DeleteDBSnapshot",
        "ec2:DeleteSnapshot",
        "s3:DeleteObjectVersion",
        "ecs:UpdateService",
    }


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


def test_a_pause_asks_the_server_as_its_admin_alone() -> None:
    direct = policy.policy(policy.COMMANDS["pause"], scope("a", direct=True))
    assert resources(direct, "secretsmanager:GetSecretValue") == [f"{SECRET}/admin-AbCdEf"]
    assert not any(action.startswith("ssm:") for action in direct.actions)
    through = policy.policy(policy.COMMANDS["pause"], lending())
    assert {action for action in through.actions if action.startswith("ssm:")} == {
        "ssm:GetCommandInvocation",
        "ssm:ListCommands",
        "ssm:SendCommand",
    }, "the tenant's password is not lent"
    known = lending().stack
    admin = known.database.model_copy(update={"admin_secret_arn": None, "admin_password": SecretStr("s3cret")})
    lent = policy.policy(policy.COMMANDS["pause"], policy.PolicyScope(known.model_copy(update={"database": admin})))
    place = f"arn:aws:ssm:{ACCOUNT}:parameter/orchestrate/onyx-prod/*"
    assert resources(lent, "ssm:PutParameter") == resources(lent, "ssm:DeleteParameters") == [place]


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


KEY = f"arn:aws:kms:{ACCOUNT}:key/0a"


def on_key(name: str, **more: Any) -> dict[str, tuple[str, ...]]:
    """What of KMS the command may ask of the key, through which services."""
    asked = scope("a", keys=(KEY,), **more)
    made = policy.policy([*policy.COMMANDS[name], *policy.opening(policy.COMMANDS[name], asked)], asked)
    found = {}
    for one in made.statements:
        for action in one.actions:
            if action.startswith("kms:"):
                assert one.resources == (KEY,)
                found[action] = one.condition["StringEquals"]["kms:ViaService"]
                lent = one.condition.get("Bool") == {"kms:GrantIsForAWSResource": ("true",)}
                assert lent == (action == "kms:CreateGrant")
    return found


def test_a_key_of_the_customers_is_opened_through_the_services_that_use_it() -> None:
    lock = {"lock": ("state", "prod.lock")}
    ec2, rds, s3, secrets = (f"{one}.us-west-2.amazonaws.com" for one in ("ec2", "rds", "s3", "secretsmanager"))
    assert on_key("status", backups="kept", direct=True) == {"kms:Decrypt": (s3, secrets)}
    assert on_key("unlock", **lock) == {"kms:Decrypt": (s3,)}
    assert on_key("dns apply", **lock) == {"kms:Decrypt": (s3,), "kms:GenerateDataKey": (s3,)}
    waking = on_key("resume", backups="kept")
    assert waking["kms:CreateGrant"] == waking["kms:DescribeKey"] == (ec2, rds)
    assert on_key("backup", backups="kept")["kms:GenerateDataKey"] == (s3, secrets)
    assert on_key("tasks") == {}, "nothing sealed is opened"


def test_without_a_key_of_the_customers_nothing_is_asked_of_kms() -> None:
    assert policy.opening(RUN, scope("a")) == []


def test_every_action_that_opens_a_key_is_one_of_ours() -> None:
    ours = {action for grants in policy.COMMANDS.values() for grant in grants for action in grant.actions}
    assert policy.OPENING.keys() <= ours


@pytest.mark.parametrize("named", ["0a", "alias/prod", f"arn:aws:kms:{ACCOUNT}:alias/prod", "arn:aws:s3:::key/1", ""])
def test_what_is_no_keys_arn_is_refused(named: str) -> None:
    (problem,) = policy.defects([named, KEY])
    assert (problem.code, problem.context) == ("kms-key-invalid", named)


def test_it_is_printed_without_asking_aws(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(stack("a")))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", "policy", "plan", "preflight", "--contract", "contract.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    )
    said = stack("a")
    whole = scope("a", backups=f"{said['stack']}-backups-{said['account_id']}")
    assert json.loads(done.stdout) == policy.policy(policy.COMMANDS["plan"], whole).as_json()
    assert "Terraform" in done.stderr
