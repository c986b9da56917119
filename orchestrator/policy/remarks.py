"""What a policy does not say, for who has to decide on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.policy.commands import TERRAFORMS
from orchestrator.policy.document import LIMIT, Policy
from orchestrator.policy.grants import PolicyScope


def remarks(made: Policy, names: Sequence[str], scope: PolicyScope) -> Iterator[str]:
    """Sentences for people."""
    if running := [name for name in names if name in TERRAFORMS]:
        yield (
            f"{' and '.join(running)} also run Terraform: what that needs depends on its configuration, is much "
            "more, and is not included"
        )
    if "restore" in names:
        yield (
            f"what restore recreates is recognized by the tag Stack={scope.stack.stack}: if Terraform doesn't set "
            "it, print the policy again once the stack is created, and restore once more"
        )
    if scope.role:
        yield (
            f"this is the policy of {scope.role}: its trust policy must name those who assume it, who need nothing but "
            "sts:AssumeRole on it"
        )
    if "fleet" in names:
        yield "what a fleet's workers need before they are in a stack's role: `orchestrate fleet policy`"
    if not made.statements:
        yield "nothing is needed: an empty policy can't be created"
    if not scope.zone_ids and "route53:ChangeResourceRecordSets" in made.actions:
        yield (
            "the contract has no id of the hosted zone: the record names are restricted, the zones are not (--zone-id)"
        )
    for wide in made.widened:
        yield f"widened, to fit into one managed policy: {wide}"
    if made.size > LIMIT:
        yield (
            f"it has {made.size} characters, a managed policy at most {LIMIT}: instances can't be listed more "
            "briefly; name fewer commands, or split the statements into several policies"
        )
