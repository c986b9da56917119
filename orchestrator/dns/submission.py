"""Changes of several subjects, in their zones: each zone's as one plan, each failure its subject's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

from orchestrator.dns.model import Change, ZonePlan
from orchestrator.dns.places import Connect, ZonePlace
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.errors import Expired, Interrupted, OrchestratorError, PartlyFailed


@dataclass(frozen=True, slots=True)
class LocatedChange:
    """A change, and the zone it is made in."""

    place: ZonePlace
    change: Change


def submit(
    connect: Connect,
    wanted: Mapping[str, LocatedChange],
    *,
    intend: Callable[[ZonePlace, tuple[Change, ...]], object] = lambda _place, _changes: None,
    accepted: Callable[[str, str], object] = lambda _provider, _ticket: None,
) -> None:
    """Make the changes, in as few calls as the providers allow. Several subjects may want the same one.

    `intend` is told of each zone's changes before any is sent, and may refuse; `accepted` is given the provider and the
    ticket of those that were taken. Raises `PartlyFailed` by subject at the end.
    """
    failures: dict[str, OrchestratorError] = {}
    order = sorted(wanted, key=lambda subject: (wanted[subject].place, wanted[subject].change.name))
    zones = {place: tuple(members) for place, members in groupby(order, key=lambda subject: wanted[subject].place)}
    changes = {place: {wanted[one].change.name: wanted[one].change for one in zones[place]} for place in zones}
    for place in zones:
        intend(place, tuple(changes[place].values()))
    for place, subjects in zones.items():
        plan = ZonePlan(place.zone, tuple(changes[place].values()))
        try:
            accepted(place.provider, connect(place.provider).submit(place.zone, plan))
        except (Interrupted, Expired):
            raise
        except SubmittedInPart as some:
            accepted(place.provider, some.ticket)
            failed = some.failures
            failures |= {one: failed[name] for one in subjects if (name := wanted[one].change.name) in failed}
        except OrchestratorError as error:
            failures |= dict.fromkeys(subjects, error)
    if failures:
        raise PartlyFailed(failures)
