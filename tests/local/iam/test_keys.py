"""What is sealed with a KMS key that is off can't be opened: secrets, and database servers that start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud import Aws
from tests.waiting import until

pytestmark = pytest.mark.cloud
NAME = "sealed"


def refusal(call: Callable[..., Any], **asked: Any) -> str:
    """AWS's error code; empty where it did what it was asked."""
    try:
        call(**asked)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_secret_under_a_key_that_is_off_is_not_given(aws: Aws) -> None:
    kms, store = aws.client("kms"), aws.client("secretsmanager")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    store.create_secret(Name="sealed", SecretString="a", KmsKeyId=key)
    store.create_secret(Name="open", SecretString="b")
    assert refusal(store.get_secret_value, SecretId="sealed") == ""

    kms.disable_key(KeyId=key)
    assert refusal(store.get_secret_value, SecretId="sealed") == "DecryptionFailure"
    together = store.batch_get_secret_value(SecretIdList=["sealed", "open"])
    assert [one["SecretString"] for one in together["SecretValues"]] == ["b"]
    assert [(one["SecretId"], one["ErrorCode"]) for one in together["Errors"]] == [("sealed", "DecryptionFailure")]

    kms.enable_key(KeyId=key)
    assert refusal(store.get_secret_value, SecretId="sealed") == ""
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refusal(store.get_secret_value, SecretId="sealed") == "DecryptionFailure"


def test_a_database_server_under_a_key_that_is_off_does_not_start(aws: Aws) -> None:
    kms, rds = aws.client("kms"), aws.client("rds")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    rds.create_db_instance(
        DBInstanceIdentifier=NAME,
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="onyx_root",
        MasterUserPassword="a-stand-in-password",
        StorageEncrypted=True,
        KmsKeyId=key,
    )

    def is_now(status: str) -> bool:
        found = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"]
        return [one["DBInstanceStatus"] for one in found] == [status]

    until("it is available", lambda: is_now("available"))
    rds.stop_db_instance(DBInstanceIdentifier=NAME)
    until("it is stopped", lambda: is_now("stopped"))
    kms.disable_key(KeyId=key)
    assert refusal(rds.start_db_instance, DBInstanceIdentifier=NAME) == "KMSKeyNotAccessibleFault"
    kms.enable_key(KeyId=key)
    assert refusal(rds.start_db_instance, DBInstanceIdentifier=NAME) == ""
    until("it is available", lambda: is_now("available"))
