"""Running Terraform or OpenTofu in a directory, so that it survives us and nothing secret leaks from us.

What must hold: an apply goes on and saves its state when we are killed (its stdout is a file that we follow, never a
pipe); one request to stop becomes one SIGINT to terraform, which we then wait for; secrets reach it through 0600
files, never argv; plan files are readable by their owner only and don't outlive the plan.
"""

from orchestrator.terraform.binary import MINIMUM, Version
from orchestrator.terraform.failure import LockInfo, StateLocked, TerraformFailed
from orchestrator.terraform.plan import Plan, PlanOptions
from orchestrator.terraform.stream import ChangeSummary, Diagnostic, StreamLine
from orchestrator.terraform.workdir import OutputValue, Terraform

__all__ = [
    "MINIMUM",
    "ChangeSummary",
    "Diagnostic",
    "LockInfo",
    "OutputValue",
    "Plan",
    "PlanOptions",
    "StateLocked",
    "StreamLine",
    "Terraform",
    "TerraformFailed",
    "Version",
]
