"""A principal in a cloud that enforces IAM: it may do what `orchestrate policy` prints for one command, no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from orchestrator.aws.roles import NAME
from orchestrator.cli import orchestrate
from orchestrator.policy import COMMANDS, PolicyScope
from orchestrator.policy import policy as policy_of
from orchestrator.stack import contract
from tests.e2e.stage import Ended, Stage

ASKED_OF_ALL = "sts:GetCallerIdentity"


@dataclass
class Principal:
    """A user with the policy of a command, and only that."""

    stage: Stage
    arn: str
    policy: dict[str, Any]
    keys: dict[str, str] = field(repr=False)

    def calls(self, *arguments: str) -> Ended:
        """The answer to its first SendCommand is lost: it has to look for the command."""
        self.stage.recorder.losing = {"ssm:SendCommand"}
        file = self.stage.folder / "contract.json"
        given = ("--contract", str(file), "--poll", "0.5", "--json")
        return self.stage.orchestrate(*arguments, *given, variables=self.keys)

    def asked(self) -> set[tuple[str, str]]:
        """The actions and resources that IAM was asked for in its name. All of it was allowed."""
        mine = [one for one in self.stage.cloud.ask("audit") if one["principal"] == self.arn]
        refused = [one for one in mine if one["decision"] != "allowed"]
        assert not refused, refused
        return {(one["action"], one["resource"]) for one in mine if one["action"] != ASKED_OF_ALL}

    def proven(self, *, beside: tuple[str, ...] = (), without: frozenset[str] = frozenset()) -> None:
        """Each action, on each resource, that the policy allows was needed by a call that was made.

        `beside`: but for what those commands may do too, which is proven with them. `without` are actions on what this
        stack has not.
        """
        asked, known = self.asked(), {pair for name in beside for pair in allowed_by(self.stage, name)}
        left = [pair for pair in pairs(self.policy) if pair not in known and pair[0] not in without]
        assert left, "nothing of its own"
        unneeded = [pair for pair in left if not any(matches(one, pair) for one in asked)]
        assert not unneeded, unneeded


def pairs(policy: dict[str, Any]) -> set[tuple[str, str]]:
    """What it allows: actions and patterns of resources."""
    return {(action, pattern) for one in policy["Statement"] for action in one["Action"] for pattern in one["Resource"]}


def allowed_by(stage: Stage, command: str) -> set[tuple[str, str]]:
    stack = contract.parse(stage.contract, "the stage")
    scope = PolicyScope(stack, backups=f"{stack.stack}-backups-{stack.account_id}")
    return pairs(policy_of(COMMANDS[command], scope).as_json())


def matches(asked: tuple[str, str], allowed: tuple[str, str]) -> bool:
    return asked[0] == allowed[0] and fnmatchcase(asked[1], allowed[1])


def beyond(some: set[tuple[str, str]], allowed: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of `some` that are not among what is allowed: one service's is, where every service's is."""
    return {pair for pair in some if not any(matches(pair, one) for one in allowed)}


def principal(
    stage: Stage,
    test: str,
    command: str,
    *options: str,
    without: tuple[str, ...] = (),
    directory: Path | None = None,
) -> Principal:
    """Of the stack of the stage's `contract.json`, but for the actions `without`; it is called after the test too."""
    place = ("--chdir", str(directory)) if directory else ()
    said = printed("policy", command, "--contract", str(stage.folder / "contract.json"), *options, *place)
    for one in said["Statement"]:
        one["Action"] = [action for action in one["Action"] if action not in without]
    said["Statement"] = [one for one in said["Statement"] if one["Action"]]
    return user(stage, f"{command}.{test}", said)


def printed(*words: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The policy that this command prints."""
    ended = CliRunner().invoke(orchestrate, words, env=variables)
    assert ended.exit_code == 0, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def user(stage: Stage, what: str, said: dict[str, Any]) -> Principal:
    """Under this policy alone."""
    iam, name = stage.aws.client("iam"), re.sub(r"[^\w.]", "-", what)[:64]
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(said))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn=made)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return Principal(stage, arn, said, keys | {"AWS_ENDPOINT_URL": stage.recorder.endpoint})


def in_a_role(stage: Stage, who: Principal, name: str, said: dict[str, Any]) -> Principal:
    """A role that `who` may assume, under this policy."""
    iam = stage.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": who.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(said))
    arn = f"arn:aws:sts::{stage.contract['account_id']}:assumed-role/{name}/{NAME}"
    return Principal(stage, arn, said, {})
