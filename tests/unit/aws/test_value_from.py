"""Every form in which a secret is named."""

from __future__ import annotations

import pytest

from orchestrator.aws.value_from import Reference, held, keys_apart, parse, resource, same_secret, without_key
from orchestrator.errors import OrchestratorError

PARTIAL = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:shop/a"
ARN = f"{PARTIAL}-AbCdEf"
PARAMETER = "arn:aws:ssm:us-west-2:123456789012:parameter/shop/a"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (ARN, Reference(ARN)),
        (PARTIAL, Reference(PARTIAL)),
        (f"{ARN}:password::", Reference(ARN, "password")),
        (f"{ARN}:password", Reference(ARN, "password")),
        (f"{ARN}::AWSPREVIOUS:", Reference(ARN, "", "AWSPREVIOUS")),
        (f"{ARN}:password::9d4cb84b", Reference(ARN, "password", "", "9d4cb84b")),
        (f"{PARTIAL}:::", Reference(PARTIAL)),
        (PARAMETER, Reference(PARAMETER)),
        ("/shop/a", Reference("/shop/a")),
        ("shop-a", Reference("shop-a")),
    ],
)
def test_what_value_from_means(said: str, meant: Reference) -> None:
    assert parse(said) == meant
    assert parse(without_key(said)) == Reference(meant.source, "", meant.stage, meant.version)


def test_only_what_is_said_is_asked() -> None:
    assert parse(f"{ARN}:password:AWSPREVIOUS:").asked == {"SecretId": ARN, "VersionStage": "AWSPREVIOUS"}
    assert parse(f"{ARN}:password::").asked == {"SecretId": ARN}


@pytest.mark.parametrize("said", [ARN, PARTIAL])
def test_an_answer_is_known_by_its_whole_arn(said: str) -> None:
    assert parse(said).means({"ARN": ARN, "Name": "shop/a"})
    assert not parse(said).means({"ARN": f"{PARTIAL}-b-AbCdEf", "Name": "shop/a-b"})
    assert not parse(said).means({})
    assert same_secret(said, ARN)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (f"{ARN}:password::", ARN),
        (PARTIAL, f"{PARTIAL}-??????"),
        (PARAMETER, PARAMETER),
        ("/shop/a", "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/shop/a"),
        ("shop-a", "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/shop-a"),
    ],
)
def test_a_policy_names_the_whole_arn(said: str, named: str) -> None:
    assert resource(said, partition="aws-cn", region="cn-north-1", account="123456789012") == named


def test_a_contract_s_keys_are_taken_out_of_the_names() -> None:
    given = {
        "database": {"admin_secret_arn": f"{ARN}:pass:AWSPREVIOUS:"},
        "tenants": {"a": {"secret_arn": f"{ARN}:pw::"}, "b": {"secret_arn": f"{ARN}:pw::", "secret_key": "mine"}},
        "redis": {"auth_secret_arn": PARAMETER},
    }
    assert keys_apart(given) == {
        "database": {"admin_secret_arn": f"{ARN}::AWSPREVIOUS:", "admin_secret_key": "pass"},
        "tenants": {"a": {"secret_arn": ARN, "secret_key": "pw"}, "b": {"secret_arn": ARN, "secret_key": "mine"}},
        "redis": {"auth_secret_arn": PARAMETER},
    }
    assert keys_apart(["no", "contract"]) == ["no", "contract"]


def test_what_the_value_holds() -> None:
    assert held('{"password": "x"}', "password", ARN) == "x"
    assert held('{"password": "x"}', "", ARN) == '{"password": "x"}'
    for value in ("plain", "[]", '{"pass": "hunter2"}'):
        with pytest.raises(OrchestratorError) as malformed:
            held(value, "password", ARN)
        assert malformed.value.problems[0].code == "secret-malformed"
        assert "hunter2" not in str(malformed.value)
