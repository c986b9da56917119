"""Which Onyx a story is about: what Terraform is told, and what the stack is then said to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ToldOnyx:
    """`version` is the tag of the images; `index` the product that holds the documents; `said` is for the audience."""

    major: int
    version: str
    index: str
    said: str

    def choose(self, workdir: Path) -> None:
        """Have Terraform in this directory take the version, whatever else it is told."""
        (workdir / "onyx.auto.tfvars").write_text(f'onyx_version = "{self.version}"\n')


ONYX: Mapping[int, ToldOnyx] = {
    2: ToldOnyx(2, "v2.0.0", "Vespa", "each tenant has a Vespa, and runs as one service, as in the guide"),
    4: ToldOnyx(4, "v4.6.1", "OpenSearch", "each tenant has an OpenSearch, and background is a service of its own"),
}
"""By major version. Onyx 3 is for going from 2 to 4, so no story is told with it."""
DEFAULT = 2
