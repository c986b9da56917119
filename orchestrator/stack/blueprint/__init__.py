"""What Terraform's JSON says of a stack: its resources, planned or there, and what a plan changes. Pure.

Source: Terraform's "JSON output format" (`terraform show -json`), format 1.x; OpenTofu's is the same. The documents
hold secrets in clear: what is made of them here quotes names, sizes and settings, never a secret's value.
"""

from orchestrator.stack.blueprint.blueprint import Blueprint, of_plan, of_state
from orchestrator.stack.blueprint.changes import ResourceChange, changes_of
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource, Unknown
from orchestrator.stack.blueprint.tenancy import ResourceOwner, Tenancy, contract_of

__all__ = [
    "UNKNOWN",
    "Blueprint",
    "Resource",
    "ResourceChange",
    "ResourceOwner",
    "Tenancy",
    "Unknown",
    "changes_of",
    "contract_of",
    "of_plan",
    "of_state",
]
