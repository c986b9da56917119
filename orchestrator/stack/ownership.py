"""Whose the parts of a stack are: its own, somebody else's, or nobody's that is known. Pure.

A contract says what a stack *uses*; what it *owns* is what its Terraform state manages. A data source, a name in a
container's environment, a server that another configuration made: all of these are used, and none may be changed.
Where no state is at hand, or it manages no part of any stack, AWS's tag `Stack` counts, as terraform/ gives it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

TAG = "Stack"
"""On what belongs to a stack: the stack's name."""


class PartKind(Enum):
    """A part of a stack. The value is its word in the setting `owns`."""

    DATABASE = "database-server"
    CLUSTER = "database-cluster"
    BALANCER = "load-balancer"
    TARGETS = "target-group"
    REDIS = "redis"
    INSTANCE = "instance"
    BUCKET = "bucket"
    SERVICE = "service"
    SECRET = "secret"  # noqa: S105 - the kind's name
    KEY = "key"

    @property
    def words(self) -> str:
        """As a person says it."""
        return {"redis": "Redis group", "service": "ECS service"}.get(self.value, self.value.replace("-", " "))


PARTS = frozenset(
    {
        PartKind.DATABASE,
        PartKind.CLUSTER,
        PartKind.BALANCER,
        PartKind.REDIS,
        PartKind.INSTANCE,
        PartKind.BUCKET,
        PartKind.SERVICE,
    }
)
"""A state that manages one of these tells what a stack owns; one that manages none says nothing of it."""

Part = tuple[PartKind, str]
"""A kind and an id: the identifier of a DB instance or cluster, an instance's id, a replication group's, a bucket's
name, the ARN of a load balancer, a target group, a secret or a key, `CLUSTER/SERVICE`."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a state manages and what it only looks up, each with its address in it.

    `named` are parts that the operator called the stack's own (`KIND:ID`), `ending` those that a plan destroys; None:
    there is no plan. `keys` are the ARNs of the KMS keys that the state names, whoever's.
    """

    managed: Mapping[Part, str] = field(default_factory=dict)
    looked_up: Mapping[Part, str] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    ending: frozenset[Part] | None = None
    keys: frozenset[str] = frozenset()

    @property
    def told(self) -> bool:
        """Whether the state tells whose a stack's parts are."""
        return any(kind in PARTS for kind, _ in self.managed)

    def naming(self, named: Collection[str]) -> Ownership:
        """With what the operator calls the stack's own."""
        return replace(self, named=self.named | frozenset(named))

    def under(self, ending: frozenset[Part]) -> Ownership:
        """As a plan sees it that destroys these."""
        return replace(self, ending=ending)

    def manages(self, kind: PartKind, name: str) -> bool:
        """Whether the state manages it."""
        return (kind, name) in self.managed

    def objection(self, kind: PartKind, name: str, stack: str, tags: Mapping[str, str] | None = None) -> str:
        """Why this part may not be changed by what can be undone (stopping it, say); empty: it may.

        One that nothing tells the owner of is the contract's word alone: that is enough here.
        """
        if word(kind, name) in self.named or self.manages(kind, name):
            return ""
        said = (tags or {}).get(TAG, "")
        if (kind, name) in self.looked_up:
            return f"this stack's Terraform only looks it up ({self.looked_up[kind, name]}){_of(said, stack)}"
        if said and said != stack:
            return f"its tag {TAG} says that it is {said}'s"
        if self.told:
            return f"it is not in this stack's Terraform state{_of(said, stack)}"
        return ""

    def loss(self, kind: PartKind, name: str, stack: str, tags: Mapping[str, str] | None = None) -> str:
        """Why nothing of this part may be lost; empty: it may. That nobody else claims it is not enough here."""
        if found := self.objection(kind, name, stack, tags):
            return found
        if word(kind, name) in self.named:
            return ""
        if self.manages(kind, name):
            spared = self.ending is not None and (kind, name) not in self.ending
            return f"the plan doesn't destroy it ({self.managed[kind, name]})" if spared else ""
        if (tags or {}).get(TAG, "") == stack:
            return ""
        return f"neither a Terraform state nor its tag {TAG} says whose it is"


def word(kind: PartKind, name: str) -> str:
    """As the setting `owns` has it."""
    return f"{kind.value}:{name}"


def part(text: str) -> Part | None:
    """What `word` made; None: nothing."""
    kind, colon, name = text.partition(":")
    known = {one.value: one for one in PartKind}
    return (known[kind], name) if colon and name and kind in known else None


def remedy(kind: PartKind, name: str) -> str:
    """What to do about an objection."""
    return f'leave it to its owner; or, if it is this stack\'s alone: owns = ["{word(kind, name)}"] in orchestrate.toml'


class Known:
    """Ownership that is found out when it is first asked for, and once: reading a state takes seconds. Thread-safe.

    `written` are parts that the contract names because somebody wrote so, and not because a state has them.
    """

    def __init__(self, ask: Callable[[], Ownership] = Ownership, written: frozenset[Part] = frozenset()) -> None:
        self._ask = ask
        self.written = written
        self._lock = threading.Lock()
        self._found: Ownership | None = None

    def now(self) -> Ownership:
        """It. Raises as reading the state does, and asks again then."""
        with self._lock:
            if self._found is None:
                self._found = self._ask()
            return self._found

    def __eq__(self, other: object) -> bool:
        """Two contracts that say the same are the same, however much is known of their stack beside them."""
        return isinstance(other, Known)

    def __hash__(self) -> int:
        return hash(Known)


def _of(said: str, stack: str) -> str:
    if said and said != stack:
        return f", and its tag {TAG} says that it is {said}'s"
    return "" if said else ": its owner is not known"
