"""Changes that were sent once, and of which nobody knows whether they arrived.

What AWS shows is late at times: a look right after the answer was lost may not show a change that was made, and to send
it again then would make it twice. So it is looked for a few times before the same is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.errors import OrchestratorError, Unheard

LOOKS = 5
"""Looks, with the step's poll between two, that must not show a change before it counts as never arrived."""


@dataclass(slots=True)
class Doubts:
    """Of one step's subjects: how many more looks are due."""

    due: dict[str, int] = field(default_factory=dict)

    def noted(self, subject: str, failure: OrchestratorError) -> OrchestratorError:
        """The same failure; if it leaves a doubt, that is remembered."""
        if isinstance(failure, Unheard):
            self.due[subject] = LOOKS
        return failure

    def looked(self) -> None:
        """One more look was taken."""
        self.due = {subject: looks - 1 for subject, looks in self.due.items() if looks > 1}

    def about(self, subject: str) -> bool:
        """Whether a change of it may have arrived, and may not be visible yet."""
        return subject in self.due
