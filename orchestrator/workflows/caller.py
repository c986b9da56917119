"""What a caller hands to a workflow: which stack, how to tell and ask, and a way to make it stop.

Below this line nothing reads the process's environment, arguments or terminal, and nothing hears its signals: two
workflows in one process know of each other only what their callers give to both.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.events import Event


@dataclass(frozen=True, slots=True)
class StackRef:
    """Which stack is meant, and as whom it is reached."""

    directory: Path = Path()
    """Terraform's."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """AWS_*, ORCHESTRATE_*, TF_*, PATH …: all the variables there are, for us and for what Terraform starts."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As flags give them: `{"lock_timeout": 60}` (docs/reference/settings.md)."""
    contract: str | None = None
    """A file, or `-` for `stdin`. None: ORCHESTRATE_CONTRACT of `environment`, else what Terraform knows."""
    stdin: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """Which steps and tenants (empty: all), and how they may act."""

    tenants: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    adopt: bool = False
    """Replace DNS records that aren't recognizably this stack's."""
    allow_zero: bool = False
    """A service that is scaled to 0 counts as up."""
    new_databases: Sequence[str] = ()
    """Made empty although the old ones may be there under other names."""
    canaries: Sequence[str] = ()
    """These tenants first; unless all of them come up, no other is begun."""
    max_parallel: int | None = None
    """So many tenants at a time; None: as many as `stop_after_failures`, else all."""
    stop_after_failures: int | None = None
    """After so many tenants that failed, no other is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that only a person may decide, or knows."""

    prompt: str
    """What stands where the answer is typed."""
    text: str = ""
    """What is said before it."""
    wanted: str = ""
    """The answer that means yes; any other one is a no. Empty: what is asked for is known to the person alone."""
    fix: str = ""
    """What to do where there is nobody to ask."""
    optional: bool = False
    """Whether no answer is one."""
    code: bool = False
    """Whether it is a second factor's code, which whoever signs in is asked for."""


Ask = Callable[[Question], str | None]
"""A person's answer; None: there is nobody to ask. Raises `Interrupted` when asked to stop instead."""


def nobody(_question: Question) -> None:
    """There is nobody to ask."""


class Cancellation:
    """Asks workflows to stop: from another thread, or from a signal handler. One may be given to several workflows."""

    def __init__(self) -> None:
        self.requests = 0
        """How many times it was asked for."""
        self._heard: list[Callable[[], None]] = []

    def request(self) -> None:
        """Stop at the next wait, and before the next change.

        Terraform, where it is at work, ends cleanly; at the second request it gives up at once, the third kills it.
        """
        self.requests += 1
        for heard in tuple(self._heard):
            heard()

    def tell(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` at each request, at once if there was one; gives what ends that."""
        self._heard.append(heard)
        if self.requests:
            heard()
        return lambda: self._heard.remove(heard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and how they are told and asked. All of it may be left out."""

    text: Callable[[str], None] | None = None
    """Takes what is for people only (a plan, an explanation). None: a program listens, which wants all in events."""
    picture: Callable[[Sequence[Event]], None] | None = None
    """Takes what is to be seen now, instead of the picture before. None: its events are emitted one by one."""
    ask: Ask = nobody
    wire: Callable[[str], None] | None = None
    """Takes what is sent to AWS, line by line, without secrets (`aws.wire`). None: nobody debugs."""
    listening: Callable[[], bool] = lambda: True
    """Whether anybody still takes what is emitted: only a follower stops because of it."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    abandon: Callable[[], None] | None = None
    """Ends the process, at the second request to stop. None: the workflow ends as after the first one."""
    user: str = field(default_factory=lambda: str(os.getuid()))
    host: str = field(default_factory=socket.gethostname)
    words: Sequence[str] = ()
    """The command line, for the record."""
    by_hand: bool = False
    """Whether a person typed it."""

    @property
    def who(self) -> tuple[str, str]:
        """User and host."""
        return self.user, self.host


def ignore(_event: Event) -> None:
    """Nobody listens."""
