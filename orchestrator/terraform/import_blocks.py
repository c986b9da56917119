"""Terraform's `import` blocks: imports that are reviewed and applied as any other change. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchestrator.terraform.leftovers import Adopt

HEAD = """\
# Written by `orchestrate plan --import-blocks`: what exists in AWS and is this stack's, but is missing from its state.
# Review it, then apply. Delete this file afterwards.
"""
PASSING = """\
# Written by `orchestrate apply`, and deleted again when it has planned. If it is still here, delete it.
"""
PASSING_NAME = "orchestrate_imports.tf"


def text_of(adopted: Iterable[Adopt], head: str = HEAD) -> str:
    """The file: a block for each."""
    return head + "".join(map(_block, adopted))


def _block(one: Adopt) -> str:
    return f"\n# {one.because}\nimport {{\n  to = {one.address}\n  id = {_quoted(one.id)}\n}}\n"


def _quoted(text: str) -> str:
    """As HCL writes it: JSON's escapes, and no template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
