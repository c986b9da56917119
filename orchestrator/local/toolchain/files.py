"""Files among the tools that several commands may make at once, while others read them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def put_in_place(file: Path, scratch: Path, mode: int = 0o644) -> Iterator[Path]:
    """A draft for the block to write, of this call alone; left without an error, all of it becomes `file`.

    The draft is below `scratch`, a folder on the same file system: beside `file`, Terraform would count it into the
    checksum of a provider.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix="making-") as folder:
        draft = Path(folder) / file.name
        yield draft
        draft.chmod(mode)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(file)
