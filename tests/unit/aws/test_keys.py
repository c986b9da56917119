"""The key that Onyx's data are encrypted with outlives the stack, and never leaves Secrets Manager but through us."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto import mock_aws

from orchestrator.aws.keys import Key, Keys, secret_of

NAME = "ENCRYPTION_KEY_SECRET"
VALUE = "the-key-itself"


class Place:
    def __init__(self, session: Any) -> None:
        self.ecs, self.secrets = session.client("ecs"), session.client("secretsmanager")
        self.learnt: list[str] = []
        self.keys = Keys(self.ecs, self.secrets, self.learnt.append)

    def secret(self, name: str, value: str, stack: str = "") -> str:
        tags = [{"Key": "Stack", "Value": stack}] if stack else []
        return str(self.secrets.create_secret(Name=name, SecretString=value, Tags=tags)["ARN"])

    def definition(self, **container: Any) -> str:
        given = {"name": "api", "image": "onyx", "memory": 512, **container}
        made = self.ecs.register_task_definition(family="customer-a", containerDefinitions=[given])
        return str(made["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def place() -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        with mock_aws():
            yield Place(boto3.Session("local", "local", region_name="us-west-2"))


def test_the_stacks_own_secret_goes_with_it_and_anothers_does_not(place: Place) -> None:
    mine, other = place.secret("mine", VALUE, "onyx-prod"), place.secret("other", VALUE, "shared")
    for arn, outside in ((mine, False), (f"{other}:key::", True)):
        definition = place.definition(secrets=[{"name": NAME, "valueFrom": arn}, {"name": "OTHER", "valueFrom": arn}])
        assert place.keys.of(definition, "onyx-prod") == [Key(NAME, arn, outside)]


def test_one_in_clear_is_known_without_its_value(place: Place) -> None:
    definition = place.definition(environment=[{"name": NAME, "value": VALUE}])
    assert place.keys.of(definition, "onyx-prod") == [Key(NAME, "", outside=True)]
    assert place.keys.of(place.definition(), "onyx-prod") == []


def test_a_copy_is_made_once_and_put_back_and_forgotten(place: Place) -> None:
    source = place.secret("mine", json.dumps({"key": VALUE}), "onyx-prod")
    copy = place.keys.keep(f"{source}:key::", "backups/1/customer-a", {"orchestrate:backup": "1"})
    assert place.keys.keep(source, "backups/1/customer-a", {}) == copy
    new = place.secret("new", json.dumps({"key": "drawn again"}), "onyx-prod")
    assert not place.keys.same(copy, f"{new}:key::")
    place.keys.put_back(copy, f"{new}:key::")
    assert place.keys.same(copy, new)
    assert place.secrets.get_secret_value(SecretId=new)["SecretString"] == json.dumps({"key": VALUE})
    assert json.dumps({"key": VALUE}) in place.learnt, "what passes through is known, so that it is never shown"
    place.keys.forget(copy)
    place.keys.forget(copy)
    every = place.secrets.get_paginator("list_secrets").paginate().search("SecretList[].Name")
    assert "backups/1/customer-a" not in list(every)


def test_an_arn_is_found_in_what_a_task_definition_says() -> None:
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:name-AbCdEf"
    assert {secret_of(arn), secret_of(f"{arn}:key::"), secret_of(f"{arn}:key:AWSCURRENT:")} == {arn}


def test_a_copy_is_sealed_as_its_original(place: Place) -> None:
    """With the key of its own that the original has; not where that key goes with the stack."""
    key = "arn:aws:kms:us-west-2:123456789012:key/0f1e2d3c-0000-0000-0000-000000000000"
    made = place.secrets.create_secret(Name="sealed", SecretString=VALUE, KmsKeyId=key)["ARN"]
    plain = place.secret("plain", VALUE)

    def sealed_with(name: str) -> str | None:
        found: str | None = place.secrets.describe_secret(SecretId=name).get("KmsKeyId")
        return found

    place.keys.keep(made, "copy/of-sealed", {})
    assert sealed_with("copy/of-sealed") == key
    place.keys.keep(plain, "copy/of-plain", {})
    assert sealed_with("copy/of-plain") is None
    place.keys.keep(made, "copy/outlives-the-stack", {}, lambda name: name == key)
    assert sealed_with("copy/outlives-the-stack") is None


def test_a_secret_that_the_state_manages_goes_with_the_stack_whatever_it_is_tagged(place: Place) -> None:
    """A stack of somebody's own bears no tag of ours: its key would be lost with it."""
    mine = place.secret("mine", VALUE)
    definition = place.definition(secrets=[{"name": NAME, "valueFrom": f"{mine}:key::"}])
    assert place.keys.of(definition, "onyx-prod") == [Key(NAME, f"{mine}:key::", outside=True)]
    assert place.keys.of(definition, "onyx-prod", lambda arn: arn == mine) == [
        Key(NAME, f"{mine}:key::", outside=False)
    ]


def test_a_copy_is_known_by_its_tags(place: Place) -> None:
    copy = place.keys.keep(place.secret("mine", VALUE), "copy", {"orchestrate:backup": "1", "orchestrate:stack": "s"})
    assert place.keys.bears(copy, {"orchestrate:backup": "1", "orchestrate:stack": "s"})
    assert not place.keys.bears(copy, {"orchestrate:backup": "1", "orchestrate:stack": "s-2"})
    assert not place.keys.bears("arn:aws:secretsmanager:us-west-2:123456789012:secret:gone-AbCdEf", {})
