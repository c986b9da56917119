"""`[contract]` of orchestrate.toml: what it may say, and every defect at once, with its place."""

from __future__ import annotations

import tomllib

import pytest

from orchestrator.errors import Invalid
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference.answers import given, matched, merged
from orchestrator.stack.inference.mapping import Mapped, dotted, read
from orchestrator.stack.inference.model import OpenQuestion, Option

STATE = states.read(
    {
        "values": {
            "root_module": {
                "resources": [
                    {"address": "aws_instance.jump", "type": "aws_instance", "values": {"id": "i-1"}},
                    {
                        "address": "aws_secretsmanager_secret.x",
                        "type": "aws_secretsmanager_secret",
                        "values": {"arn": "arn:x"},
                    },
                ]
            }
        }
    }
)
OUTPUTS = {"alb": {"dns_name": "a.elb.amazonaws.com"}, "endpoint": "db.example.com:5433", "hidden": "a-password"}


def mapped(text: str) -> Mapped:
    variables = {"db_password": "from-a-variable"}
    return read(tomllib.loads(text), "orchestrate.toml", outputs=OUTPUTS, state=STATE, variable=variables.get)


def test_each_way_to_say_a_value() -> None:
    said = mapped(
        """
        stack = "onyx-prod"
        runner = { resource = "aws_instance.jump" }
        database.host = { output = "endpoint" }
        database.admin_secret_arn = { resource = "aws_secretsmanager_secret.x" }
        database.admin_password = { variable = "db_password" }
        load_balancer.dns_name = { output = "alb.dns_name" }
        tenants."a.b".password = { output = "hidden" }
        vespa.a.instance_id = { resource = "aws_instance.jump", attribute = "id" }
        """
    )
    assert said.problems == ()
    assert {dotted(key): value for key, value in said.values.items()} == {
        "stack": "onyx-prod",
        "database.host": "db.example.com",
        "database.port": 5433,
        "database.admin_secret_arn": "arn:x",
        "load_balancer.dns_name": "a.elb.amazonaws.com",
        "vespa.a.instance_id": "i-1",
    }
    assert said.sources["load_balancer", "dns_name"] == "output alb.dns_name"
    assert said.chosen == {("runner",): "aws_instance.jump"}
    passwords = {key: (secret.get_secret_value(), source) for key, (secret, source) in said.passwords.items()}
    assert passwords == {
        ("database", "admin_password"): ("from-a-variable", "variable db_password"),
        ("tenants", "a.b", "password"): ("a-password", "output hidden"),
    }
    assert "from-a-variable" not in repr(said)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('runner = { resource = "aws_instance.gone" }', "mapping-resource-unknown"),
        ('database.resource = "aws_db_instance.gone"', "mapping-resource-unknown"),
        ('database.admin_secret_arn = { resource = "nothing" }', "mapping-resource-unknown"),
        ('stack = { resource = "aws_instance.jump" }', "mapping-attribute-missing"),
        ('stack = { output = "nothing" }', "mapping-output-missing"),
        ('stack = { output = "a[" }', "mapping-expression-invalid"),
        ('stack = { variable = "db_password" }', "mapping-not-a-password"),
        ('database.admin_password = "hunter2"', "mapping-holds-password"),
        ('tenants.a.password = { variable = "unset" }', "mapping-variable-missing"),
    ],
)
def test_a_defect_has_its_code_and_its_place(text: str, code: str) -> None:
    (problem,) = mapped(text).problems
    assert problem.code == code
    assert problem.context.startswith("orchestrate.toml: contract.")
    assert problem.fix
    assert "hunter2" not in str(problem)


def test_all_defects_at_once() -> None:
    assert len(mapped('stack = { output = "no" }\nrunner.resource = "no"\ntenants.a.password = "x"').problems) == 3


def test_answers_on_the_command_line() -> None:
    texts = [
        "runner=aws_instance.jump",
        'tenants."a.b".hostname=x.example.com',
        "database.port=5433",
        'dns={ zone = "z" }',
    ]
    assert given(texts) == {
        ("runner",): "aws_instance.jump",
        ("tenants", "a.b", "hostname"): "x.example.com",
        ("database", "port"): 5433,
        ("dns",): {"zone": "z"},
    }
    with pytest.raises(Invalid) as caught:
        given(["", "=x", "a b=c", "runner="])
    assert {problem.code for problem in caught.value.problems} == {"answer-malformed"}
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("said", ["2", "aws_instance.b", "aws_instance.b = 10.0.0.2"])
def test_an_option_by_number_resource_or_label(said: str) -> None:
    options = tuple(
        Option({"resource": f"aws_instance.{one}"}, f"aws_instance.{one} = 10.0.0.{n}") for n, one in enumerate("ab", 1)
    )
    assert matched(OpenQuestion(("runner",), "which?", options), said) == {"resource": "aws_instance.b"}
    assert matched(OpenQuestion(("runner",), "which?", options), "other") == "other"


def test_answers_are_put_beside_what_is_there() -> None:
    before = {"database": {"port": 5432}, "stack": "x"}
    after = merged(before, {("database", "admin_secret_arn"): "arn:x", ("stack", "deep"): 1})
    assert after == {"database": {"port": 5432, "admin_secret_arn": "arn:x"}, "stack": {"deep": 1}}
    assert before == {"database": {"port": 5432}, "stack": "x"}
