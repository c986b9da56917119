"""What a command needs to be allowed in AWS: the least IAM policy for one stack, from the contract alone. Pure.

A new command gets one entry in `commands.COMMANDS`; a new call of AWS one grant, in the entry of whoever makes it.
tests/e2e/test_policy.py and test_policy_destroy_restore.py run each command under exactly its policy, and compare it
with the calls it made.
"""

from orchestrator.policy.commands import COMMANDS, chosen, needed, takes_lock
from orchestrator.policy.document import LIMIT, Policy, Statement, policy
from orchestrator.policy.grants import PolicyScope
from orchestrator.policy.keys import OPENING, defects, opening
from orchestrator.policy.remarks import remarks

__all__ = [
    "COMMANDS",
    "LIMIT",
    "OPENING",
    "Policy",
    "PolicyScope",
    "Statement",
    "chosen",
    "defects",
    "needed",
    "opening",
    "policy",
    "remarks",
    "takes_lock",
]
