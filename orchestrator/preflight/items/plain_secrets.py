"""Passwords as plain values in Terraform's state: everybody who may read the state reads them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed
from orchestrator.engine.check import Severity

HELD = {
    (
        "aws_db_instance",
        "password",
    ): "password_wo         = ephemeral.aws_secretsmanager_secret_version.admin.secret_string\npassword_wo_version = 1",
    ("aws_rds_cluster", "master_password"): "master_password_wo         = …\nmaster_password_wo_version = 1",
    (
        "aws_secretsmanager_secret_version",
        "secret_string",
    ): "secret_string_wo         = …\nsecret_string_wo_version = 1",
    ("aws_ssm_parameter", "value"): "value_wo         = …\nvalue_wo_version = 1",
    ("aws_elasticache_replication_group", "auth_token"): "# leave auth_token out: orchestrate sets it from its secret",
    ("random_password", "result"): 'ephemeral "random_password" "this" { … } # and write-only arguments',
}
"""Type and attribute → what to write instead."""


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Each value that is, or will be, in the state. Never the value itself."""
    held = [
        (one, attribute, hcl)
        for (kind, attribute), hcl in HELD.items()
        for one in evidence.blueprint.of_type(kind)
        if one.get(attribute) not in (None, "")
        and not (kind == "aws_ssm_parameter" and one.text("type") != "SecureString")
    ]
    for one, attribute, hcl in held:
        yield Remark(
            status=Status.FAILED,
            code="secret-in-state",
            severity=Severity.WARNING,
            subject=evidence.tenancy.owner(one, one.values),
            says="a password is in Terraform's state in plain text",
            why=f"{attribute} is stored as is; a write-only argument is not stored",
            address=one.address,
            current=f"{attribute} (a value)",
            wanted="a write-only argument, or a value that only the secret store has",
            hcl=hcl,
        )
    if not held:
        yield passed("no password is in the state")


ITEM = Item(
    id="plain-secrets",
    title="No password is in Terraform's state",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
