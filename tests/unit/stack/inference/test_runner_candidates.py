"""Which instance can be the runner: its role by the policies, its way by the security groups, as the state has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference.mapping import Mapped
from orchestrator.stack.inference.model import ContractDraft
from orchestrator.stack.inference.network import reaches
from orchestrator.stack.inference.permissions import role_of
from orchestrator.stack.inference.runner import runner_of

CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:stack/a-x"


def of(*resources: tuple[str, dict[str, Any]]) -> states.Resources:
    listed = [{"address": f"{kind}.r{n}", "type": kind, "values": values} for n, (kind, values) in enumerate(resources)]
    return states.read({"values": {"root_module": {"resources": listed}}})


def instance(**values: Any) -> tuple[str, dict[str, Any]]:
    usual = {"id": "i-1", "private_ip": "10.0.1.7", "vpc_security_group_ids": ["sg-tools"], "iam_instance_profile": "p"}
    return "aws_instance", usual | values


PROFILE = ("aws_iam_instance_profile", {"name": "p", "role": "r"})
SERVER = ("aws_db_instance", {"engine": "postgres", "port": 5432, "vpc_security_group_ids": ["sg-db"]})
GROUP = ("aws_security_group", {"id": "sg-db", "ingress": []})
ATTACHED = ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": CORE})


def policy(action: Any, resource: Any = "*", effect: str = "Allow") -> str:
    return json.dumps({"Statement": {"Effect": effect, "Action": action, "Resource": resource}})


def ingress(**values: Any) -> tuple[str, dict[str, Any]]:
    return "aws_security_group", {
        "id": "sg-db",
        "ingress": [{"from_port": 5432, "to_port": 5432, "protocol": "tcp", **values}],
    }


def rule(**values: Any) -> tuple[str, dict[str, Any]]:
    usual = {"type": "ingress", "security_group_id": "sg-db", "from_port": 0, "to_port": 65535, "protocol": "tcp"}
    return "aws_security_group_rule", usual | values


def vpc_rule(**values: Any) -> tuple[str, dict[str, Any]]:
    usual = {"security_group_id": "sg-db", "from_port": 5432, "to_port": 5432, "ip_protocol": "tcp"}
    return "aws_vpc_security_group_ingress_rule", usual | values


@pytest.mark.parametrize(
    ("door", "way"),
    [
        (GROUP, False),
        (ingress(security_groups=["sg-tools"]), True),
        (ingress(security_groups=["sg-other"]), False),
        (ingress(cidr_blocks=["10.0.0.0/16"]), True),
        (ingress(cidr_blocks=["10.9.0.0/16"]), False),
        (ingress(security_groups=["sg-tools"], from_port=6379, to_port=6379), False),
        (ingress(security_groups=["sg-tools"], protocol="udp"), False),
        (ingress(security_groups=["sg-tools"], protocol="-1", from_port=0, to_port=0), True),
        (rule(source_security_group_id="sg-tools"), True),
        (rule(cidr_blocks=["0.0.0.0/0"]), True),
        (rule(source_security_group_id="sg-tools", type="egress"), None),
        (rule(source_security_group_id="sg-tools", security_group_id="sg-app"), None),
        (vpc_rule(referenced_security_group_id="sg-tools"), True),
        (vpc_rule(cidr_ipv4="10.0.1.7/32"), True),
        (vpc_rule(cidr_ipv4="not one"), False),
        (vpc_rule(referenced_security_group_id="sg-tools", ip_protocol="-1", from_port=None, to_port=None), True),
    ],
)
def test_the_way_to_the_database(door: tuple[str, dict[str, Any]], way: bool | None) -> None:
    state = of(instance(), SERVER, door)
    assert reaches(state.of("aws_instance")[0], state.of("aws_db_instance")[0], state) is way


@pytest.mark.parametrize(
    ("said", "registers", "reads"),
    [
        ([], False, False),
        ([ATTACHED], True, False),
        ([("aws_iam_role", {"name": "r", "managed_policy_arns": [CORE]})], True, False),
        ([("aws_iam_role_policy", {"role": "r", "policy": policy("secretsmanager:Get*")})], False, True),
        ([("aws_iam_role_policy", {"role": "r", "policy": policy(["SSM:*", "x:y"])})], True, False),
        ([("aws_iam_role_policy", {"role": "r", "policy": policy("*", effect="Deny")})], False, False),
        ([("aws_iam_role_policy", {"role": "other", "policy": policy("*")})], False, False),
        (
            [
                (
                    "aws_iam_role_policy",
                    {"role": "r", "policy": policy("secretsmanager:GetSecretValue", [ARN[:-1] + "*"])},
                )
            ],
            False,
            True,
        ),
        (
            [("aws_iam_role_policy", {"role": "r", "policy": policy("secretsmanager:GetSecretValue", "arn:other")})],
            False,
            False,
        ),
        ([("aws_iam_role_policy", {"role": "r", "policy": "no json"})], False, False),
        (
            [
                ("aws_iam_policy", {"arn": "arn:p", "policy": policy("secretsmanager:GetSecretValue")}),
                ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": "arn:p"}),
            ],
            False,
            True,
        ),
        (
            [("aws_iam_role", {"name": "r", "inline_policy": [{"policy": policy("ssm:UpdateInstanceInformation")}]})],
            True,
            False,
        ),
    ],
)
def test_what_the_role_may(said: list[tuple[str, dict[str, Any]]], registers: bool, reads: bool) -> None:
    state = of(instance(), PROFILE, *said)
    role = role_of(state.of("aws_instance")[0], state)
    assert (role.known, role.registers, role.reads(ARN)) == (True, registers, reads)


OPEN = ingress(security_groups=["sg-tools"])


@pytest.mark.parametrize(
    ("resources", "chosen", "asked"),
    [
        ([instance(), PROFILE, ATTACHED, OPEN], "i-1", False),
        ([instance(), PROFILE, OPEN], None, False),
        ([instance(iam_instance_profile=""), OPEN], None, False),
        ([instance(), PROFILE, ATTACHED, GROUP], None, False),
        ([instance(), OPEN], None, True),  # its profile is not in the state
        ([instance(), PROFILE, ATTACHED], None, True),  # the database's group is not in the state
        ([instance(), instance(id="i-2"), PROFILE, ATTACHED, OPEN], None, True),
        ([instance(), instance(id="i-2", vpc_security_group_ids=[]), PROFILE, ATTACHED, OPEN], "i-1", False),
        ([instance(), instance(id="i-2", instance_state="terminated"), PROFILE, ATTACHED, OPEN], "i-1", False),
    ],
)
def test_one_for_certain_or_a_question(resources: list[Any], chosen: str | None, asked: bool) -> None:
    state, draft = of(SERVER, *resources), ContractDraft(Mapped())
    found = runner_of(state, state.of("aws_db_instance")[0], draft)
    assert (found.text("id") if found else None) == chosen
    assert [one.key for one in draft.questions] == ([("runner",)] if asked else [])
    assert bool(draft.remarks) == (chosen is None and not asked)
