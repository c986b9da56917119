"""The page docs/reference/permissions.md: each command's actions, from `orchestrator.policy`."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.policy import COMMANDS, OPENING
from orchestrator.policy.commands import TERRAFORMS, Grants


def lines() -> Iterator[str]:
    """Commands that need the same actions share a row."""
    yield "The AWS actions that each command needs at most. A stack without Redis, Route 53 or a lock in S3 needs less;"
    yield "SSM parameters are written only where no secret holds a password. An option that needs more than its command"
    yield "has its own entry. `orchestrate policy` prints the policy for one stack, with ARNs and conditions: see"
    yield "[least permissions](../how-to/least-permissions.md). `sts:GetCallerIdentity` needs no permission."
    yield ""
    yield "| Commands | Actions |"
    yield "|---|---|"
    shared: dict[str, list[str]] = {}
    for command, grants in COMMANDS.items():
        shared.setdefault(_actions(grants), []).append(command)
    for actions, commands in shared.items():
        yield f"| {', '.join(f'`{command}`' for command in commands)} | {actions} |"
    yield ""
    yield "What is encrypted with a customer managed KMS key is decrypted with the caller's permissions. On these keys"
    yield "(those in Terraform's state, and `--kms-key`), the following actions also need, only through the service"
    yield "(`kms:ViaService`):"
    yield ""
    yield "| Action | On the key |"
    yield "|---|---|"
    yield from (f"| `{action}` | {', '.join(f'`{one}`' for one in asked)} |" for action, asked in OPENING.items())
    yield ""
    yield (
        f"{', '.join(f'`{name}`' for name in sorted(TERRAFORMS))} also run Terraform, whose own permissions are not "
        "listed here."
    )


def _actions(grants: Grants) -> str:
    names = sorted({action for grant in grants for action in grant.actions})
    return ", ".join(f"`{name}`" for name in names) or "nothing"
