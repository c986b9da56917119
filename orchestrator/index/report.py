"""What is seen of a search index: what its instance says of the container, what is in it, what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Line = tuple[str, str]
"""When (ISO 8601; empty: unknown) and what the container wrote."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an instance says of its index. `state` is docker's word; absent: no such container.

    `documents` is how many it holds; None: it does not say, as when nothing is deployed to it yet. `disk` is how full
    its disk is, in percent; None: it does not say. `trouble` is the provider's word for what is wrong with it.
    `booting`: user_data is still at work. `pulled`: docker has an image to make a container from. `ports` are those the
    container publishes on its instance; none: unknown.
    """

    dockerd: bool = True
    state: str = "running"
    exit_code: int = 0
    healthy: bool = True
    booting: bool = False
    pulled: bool = True
    started: datetime | None = None
    image: str = ""
    ports: tuple[int, ...] = ()
    documents: int | None = None
    disk: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an index holds. `digest` and `keys` are empty when not every document was read.

    `keys` is of the documents' ids alone (each with the number of its chunk), which are the same in every kind of
    index; `sample` are the smallest of the ids' hashes.
    """

    documents: int
    digest: str
    keys: str = ""
    sample: tuple[str, ...] = ()


def read(answer: str, documents: Callable[[Any], int | None] = lambda _counted: None) -> IndexReport:
    """The script's last line. Raises ValueError, KeyError or TypeError when it is not what the script prints."""
    said = json.loads(answer)
    container = said["container"]
    started = datetime.fromisoformat(container["started"]) if container.get("started") else None
    return IndexReport(
        dockerd=said["dockerd"],
        booting=said["booting"],
        healthy=said["healthy"],
        pulled=said["pulled"],
        state=container["state"],
        exit_code=container.get("exit_code", 0),
        started=started,
        image=container.get("image", ""),
        ports=tuple(sorted(_published(container.get("ports") or {}))),
        documents=documents(said.get("counted")),
        disk=_percent(said.get("disk")),
        trouble=said.get("trouble", ""),
    )


def _percent(said: Any) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _published(bindings: Mapping[str, Any]) -> Iterator[int]:
    for places in bindings.values():
        yield from (int(place["HostPort"]) for place in places or () if place.get("HostPort"))


def line(text: str) -> Line:
    """One line of `docker logs --timestamps`."""
    stamp, _, rest = text.partition(" ")
    try:
        return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds"), rest
    except ValueError:
        return "", text
