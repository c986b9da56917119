from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from orchestrator.local.laws.models import CODES, judge

SESSION = botocore.session.get_session()
SHELL = {"DocumentName": "AWS-RunShellScript"}


def said(service: str, operation: str, parameters: dict[str, Any]) -> str:
    shape: Any = SESSION.get_service_model(service).operation_model(operation).input_shape
    found = judge(service, shape, parameters)
    return f"{found.code}: {found.message}" if found else ""


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "value", "must"),
    [
        ("ssm", "SendCommand", {**SHELL, "Comment": "x" * 101}, "ValidationException",
         f"Value '{'x' * 101}' at 'comment'", "have length less than or equal to 100"),
        ("ssm", "SendCommand", {**SHELL, "InstanceIds": ["nonsense"]}, "ValidationException",
         "Value 'nonsense' at 'instanceIds.1.member'",
         "satisfy regular expression pattern: (^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"),
        ("ssm", "DescribeInstanceInformation", {"MaxResults": 51}, "ValidationException",
         "Value '51' at 'maxResults'", "have value less than or equal to 50"),
        ("secretsmanager", "CreateSecret", {"Name": "a", "SecretString": ""}, "ValidationException",
         "Value at 'secretString'", "have length greater than or equal to 1"),
        ("elbv2", "DescribeRules", {"PageSize": 401}, "ValidationError",
         "Value '401' at 'pageSize'", "have value less than or equal to 400"),
        ("ecs", "CreateService", {"serviceName": "a", "launchType": "FARGATTE"}, "InvalidParameterException",
         "Value 'FARGATTE' at 'launchType'", "satisfy enum value set: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]"),
        ("iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, "ValidationError",
         "Value 'a b' at 'roleName'", "satisfy regular expression pattern: [\\w+=,.@-]+"),
    ],
)  # fmt: skip
def test_an_argument_that_breaks_its_shape(
    service: str, operation: str, parameters: dict[str, Any], code: str, value: str, must: str
) -> None:
    expected = f"{code}: 1 validation error detected: {value} failed to satisfy constraint: Member must {must}"
    assert said(service, operation, parameters) == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ssm", "SendCommand", {**SHELL, "Comment": "x" * 100}),
        ("ec2", "RunInstances", {"InstanceType": "z99.huge", "MinCount": 1, "MaxCount": 1}),
        ("s3", "ListObjectsV2", {}),
        ("ecs", "DescribeServices", {"services": []}),
        ("iam", "CreateRole", {"RoleName": "a+b", "AssumeRolePolicyDocument": "{}\n"}),
        ("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["ünïcode"]}),
    ],
)
def test_what_the_model_has_nothing_against(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert not said(service, operation, parameters)


def test_what_is_missing_is_null_or_has_a_code_of_its_own() -> None:
    missing = "MissingParameter: The request must contain the parameter DBSnapshotIdentifier"
    assert said("rds", "CreateDBSnapshot", {"DBInstanceIdentifier": "a"}) == missing
    null = "Value null at 'documentName' failed to satisfy constraint: Member must not be null"
    assert said("ssm", "SendCommand", {}) == f"ValidationException: 1 validation error detected: {null}"


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = said("ssm", "SendCommand", {"Comment": "x" * 101, "TimeoutSeconds": 1})
    assert found.startswith("ValidationException: 3 validation errors detected: ")
    assert found.count("; Value ") == 2


def test_a_secret_is_in_no_refusal() -> None:
    found = said("secretsmanager", "PutSecretValue", {"SecretId": "", "SecretString": "hush" * 20_000})
    assert "secretString" in found
    assert "hush" not in found


@pytest.mark.parametrize("service", CODES)
def test_every_service_with_a_code_is_one_that_botocore_knows(service: str) -> None:
    assert SESSION.get_service_model(service).operation_names
