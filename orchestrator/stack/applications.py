"""Which application an image is. What is Onyx's own advice, or habit, is taken of Onyx's images alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

_NAMES = ("onyx", "danswer")
"""Under which Onyx was published, in whichever registry."""


def is_onyx(images: Iterable[str]) -> bool:
    """Whether one of them is Onyx's."""
    return any(name in image.lower() for image in images for name in _NAMES)


def is_another(images: Collection[str]) -> bool:
    """Whether it is known that none is: of containers that nobody knows nothing is said."""
    return any(images) and not is_onyx(images)


def major_of(images: Collection[str]) -> int | None:
    """The major version of Onyx that its backend's tag says; None: no tag says one."""
    tags = (image.rsplit("/", 1)[-1].partition("onyx-backend:")[2] for image in images)
    return next((int(met[1]) for tag in tags if (met := re.match(r"v?(\d+)\.", tag))), None)


CACHE, FILES = "CACHE_BACKEND", "FILE_STORE_BACKEND"
"""Variables by which Onyx Lite leaves to PostgreSQL what Redis and the bucket do otherwise."""


def in_postgresql(variables: Mapping[str, str], what: str) -> bool:
    """Whether Onyx keeps it there."""
    return variables.get(what, "").lower() == "postgres"
