"""The contract of a stack that was not made for us, from its Terraform state: pure functions, no call to anything.

Whatever is found keeps its provenance: the address of the resource that says it. What can be two things is a question,
never a guess; `orchestrate.toml` answers questions (`mapping`).
"""

from orchestrator.stack.inference.infer import Inferred, infer
from orchestrator.stack.inference.mapping import Mapped, read
from orchestrator.stack.inference.model import Found, OpenQuestion, Option

__all__ = ["Found", "Inferred", "Mapped", "OpenQuestion", "Option", "infer", "read"]
