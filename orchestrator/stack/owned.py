"""What a contract doesn't say and comes along with it in memory: what of its parts the stack owns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

from pydantic import BaseModel, PrivateAttr

from orchestrator.stack.ownership import Known, Ownership, Part


class Owned(BaseModel):
    """A document's model, with what is known of the ownership beside it: never read from it, never written to it."""

    _known: Known = PrivateAttr(default_factory=Known)

    @property
    def ownership(self) -> Ownership:
        """What of its parts are its own, as far as that is known. The first look may take seconds, and may raise."""
        return self._known.now()

    def objection_to_redeploy(self, part: Part, stack: str, tags: Mapping[str, str]) -> str:
        """Why this service may not be made to start its tasks anew; empty: it may.

        Whoever wrote the contract named it: that is his word, whichever state manages it (another tool's, a second one
        of Terraform), and only a tag of another stack's stands against it. An inferred contract says no more than its
        state.
        """
        known = Ownership() if part in self._known.written else self.ownership
        return known.objection(*part, stack, tags)

    def owning(self, known: Known) -> Self:
        """The same, whose state tells this of its parts."""
        other = self.model_copy()
        other._known = known
        return other

    def naming(self, named: Collection[str]) -> Self:
        """The same, of which the operator calls these parts its own (`ownership.word`)."""
        known = self._known
        return self.owning(Known(lambda: known.now().naming(named), known.written))

    def losing(self, ending: frozenset[Part]) -> Self:
        """The same, as a plan sees it that destroys these parts."""
        known = self._known
        return self.owning(Known(lambda: known.now().under(ending), known.written))
