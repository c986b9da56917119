"""One unreadable secret is that secret's matter; a secret is found by whatever names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.parameters import Parameters
from orchestrator.aws.secrets import Secrets, Shape
from orchestrator.aws.values import SecretValues
from orchestrator.errors import OrchestratorError

PREFIX = "arn:aws:secretsmanager:us-west-2:123456789012:secret:"
GOOD, PLAIN, BYTES, NOISE = (f"{PREFIX}{name}-AbCdEf" for name in ("good", "plain", "bytes", "noise"))
STORE: Mapping[str, Mapping[str, Any]] = {
    GOOD: {"SecretString": '{"password": "p1", "username": "u"}'},
    PLAIN: {"SecretString": "p2"},
    BYTES: {"SecretBinary": b'{"password": "p3"}'},
    NOISE: {"SecretBinary": b"\xff\xfe\x00"},
}
BROKEN = {
    f"{PREFIX}gone-AbCdEf": "ResourceNotFoundException",
    f"{PREFIX}deleted-AbCdEf": "InvalidRequestException",
    f"{PREFIX}key-off-AbCdEf": "DecryptionFailure",
    f"{PREFIX}denied-AbCdEf": "AccessDeniedException",
}
PREVIOUS = "p0"


class Client:
    """Secrets Manager: takes names with or without the six characters, answers with whole ARNs."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def find(self, name: str) -> str:
        if ":" in name and not name.startswith("arn:"):
            raise refusal("InvalidParameterException")
        return next((arn for arn in (*STORE, *BROKEN) if name in (arn, arn[:-7], arn[len(PREFIX) : -7])), name)

    def batch_get_secret_value(self, SecretIdList: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.batches.append(SecretIdList)
        values, errors = [], []
        for name in SecretIdList:
            arn = self.find(name)
            if arn in STORE:
                values.append({"ARN": arn, "Name": arn[len(PREFIX) : -7], **STORE[arn]})
            else:
                code = BROKEN.get(arn, "ResourceNotFoundException")
                errors.append({"SecretId": name, "ErrorCode": code, "Message": "no"})
        return {"SecretValues": values, "Errors": errors}

    def get_secret_value(self, SecretId: str, VersionStage: str = "") -> dict[str, Any]:  # noqa: N803
        arn = self.find(SecretId)
        if arn not in STORE:
            raise refusal(BROKEN.get(arn, "ResourceNotFoundException"))
        return {"ARN": arn, **STORE[arn]} if not VersionStage else {"ARN": arn, "SecretString": PREVIOUS}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


@pytest.mark.parametrize("broken", BROKEN)
def test_one_that_can_t_be_read_says_so_by_itself(broken: str) -> None:
    heard: list[str] = []
    shapes = Secrets(Client(), heard.append).shapes([GOOD, broken, PLAIN])
    assert shapes[GOOD].keys == frozenset({"password", "username"})
    assert shapes[PLAIN] == Shape(keys=None, arn=PLAIN)
    assert BROKEN[broken] in shapes[broken].trouble
    assert shapes[broken].exists is (BROKEN[broken] in ("DecryptionFailure", "AccessDeniedException"))
    assert sorted(heard) == sorted([STORE[GOOD]["SecretString"], "p2"])


@pytest.mark.parametrize("form", [GOOD, GOOD[:-7], f"{GOOD}:password::"])
def test_a_secret_is_found_by_whatever_names_it(form: str) -> None:
    read = Secrets(Client())
    assert read.shapes([form])[form] == Shape(keys=frozenset({"password", "username"}), arn=GOOD)
    assert read.value(form) == STORE[GOOD]["SecretString"]


def test_bytes_that_are_text_are_read_as_such() -> None:
    read = Secrets(Client())
    assert read.shapes([BYTES])[BYTES].keys == frozenset({"password"})
    assert read.value(BYTES) == '{"password": "p3"}'
    with pytest.raises(OrchestratorError) as refused:
        read.value(NOISE)
    assert refused.value.problems[0].code == "secret-not-text"
    assert "not text" in read.shapes([NOISE, GOOD])[NOISE].trouble


def test_a_version_is_read_by_itself() -> None:
    client = Client()
    form = f"{GOOD}::AWSPREVIOUS:"
    assert Secrets(client).value(form) == PREVIOUS
    assert Secrets(client).shapes([form, PLAIN])[form].trouble == ""
    assert client.batches == [[PLAIN]]


def test_a_name_that_aws_can_t_take_spoils_no_batch() -> None:
    odd = "no:secretsmanager:at all"
    shapes = Secrets(Client()).shapes([GOOD, odd])
    assert shapes[GOOD].keys is not None
    assert "InvalidParameterException" in shapes[odd].trouble


class Ssm:
    """Parameters: one is gone, one is not ours."""

    def get_parameter(self, Name: str, WithDecryption: bool = False) -> dict[str, Any]:  # noqa: N803
        refused: Callable[[str], ClientError] = lambda code: ClientError(  # noqa: E731
            {"Error": {"Code": code, "Message": "no"}}, "GetParameter"
        )
        if "gone" in Name:
            raise refused("ParameterNotFound")
        if "denied" in Name:
            raise refused("AccessDeniedException")
        return {"Parameter": {"Value": "p4" if WithDecryption else "encrypted"}}


def test_both_stores_are_one() -> None:
    arn = "arn:aws:ssm:us-west-2:123456789012:parameter/shop/a"
    values = SecretValues(Secrets(Client()), Parameters(Ssm()))
    assert [values.value(place) for place in (PLAIN, arn, "/shop/a")] == ["p2", "p4", "p4"]
    shapes = values.shapes([PLAIN, arn, "/shop/gone", "/shop/denied"])
    assert shapes[arn] == Shape()
    assert shapes["/shop/gone"].exists is False
    assert (shapes["/shop/denied"].exists, "AccessDenied" in shapes["/shop/denied"].trouble) == (True, True)
