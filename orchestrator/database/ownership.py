"""Which databases and roles are ours to change, and which full one may be the tenant's that is missing. Pure.

Ours is what bears our mark, what belongs to a role that bears it, what has owner and grants exactly as versions before
the marks left them, and what somebody asked us to adopt. Of everything else nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.database.marks import Mark, counts_for, is_anothers
from orchestrator.database.model import ServerContents, WantedDatabase, identifier, unowned
from orchestrator.errors import Problem


@dataclass(frozen=True, slots=True)
class OwnershipRules:
    """What somebody asked for, by the databases' names.

    `adopted`: they were there before us, and become ours. `new`: an empty one is made although the old one may be
    there under another name.
    """

    adopted: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()


def _mark(one: WantedDatabase, seen: ServerContents) -> Mark | None:
    return counts_for(seen.marks.get(one.database), one.mark)


def _role_mark(one: WantedDatabase, seen: ServerContents) -> Mark | None:
    return counts_for(seen.role_marks.get(one.role), one.mark)


def anothers(one: WantedDatabase, seen: ServerContents, tenants: Collection[str]) -> tuple[str, Mark] | None:
    """What of the tenant's is marked for another stack or another of the stack's tenants, and that mark."""
    for what, mark in (
        (f"database {one.database}", seen.marks.get(one.database)),
        (f"role {one.role}", seen.role_marks.get(one.role)),
    ):
        if mark and is_anothers(mark, one.mark, tenants):
            return what, mark
    return None


def database_is_ours(one: WantedDatabase, seen: ServerContents, rules: OwnershipRules) -> bool:
    """Whether its owner and grants are ours to change; of one that isn't there: yes."""
    if one.database in rules.adopted or one.database not in seen.databases or _mark(one, seen):
        return True
    owned = seen.databases[one.database] == one.role
    return owned and (_role_mark(one, seen) is not None or one.database in seen.as_made)


def role_is_ours(one: WantedDatabase, seen: ServerContents, rules: OwnershipRules) -> bool:
    """Whether its password is ours to change. One that was there before our database is not."""
    if one.is_admin:
        return False
    if one.database in rules.adopted or one.role not in seen.present | seen.roles or _role_mark(one, seen):
        return True
    made_before_marks = one.database in seen.as_made and _mark(one, seen) is None
    return made_before_marks and seen.databases.get(one.database) == one.role


def unmarked(one: WantedDatabase, seen: ServerContents, rules: OwnershipRules) -> tuple[str, ...]:
    """What is ours and does not bear the tenant's mark yet."""
    lacks = []
    if one.database in seen.databases and seen.marks.get(one.database) != one.mark:
        lacks.append(f"database {one.database}")
    markable = one.has_password and role_is_ours(one, seen, rules) and one.role in seen.present
    if markable and seen.role_marks.get(one.role) != one.mark:
        lacks.append(f"role {one.role}")
    return tuple(lacks)


def candidates(
    one: WantedDatabase, wanted: Sequence[WantedDatabase], seen: ServerContents, *, existed: bool = False
) -> tuple[str, ...]:
    """Databases that may be the tenant's under another name: they hold the application's tables, and are nobody's.

    Where a mark or the owner tells whose one is, only those are given that are this tenant's; else all that can be.
    One that nobody could look into counts where it is the tenant's, where it takes no connections at all (so is set
    aside what is replaced), or where the tenant may have had a database: it `existed`, or its role is one that we made.
    Where an empty database has the tenant's name, only what is surely the tenant's is a reason to stop.
    """
    possible = {name: _belongs(name, one, wanted, seen) for name in unowned(wanted, seen)}
    full = {name for name in possible if (held := seen.holds.get(name)) and held.application}
    unknown = {name for name in possible if _is_unseen(name, seen)}
    surely = tuple(name for name, belongs in possible.items() if belongs and name in full | unknown)
    if surely or one.database in seen.databases:
        return surely
    had_one = existed or _role_mark(one, seen) is not None
    perhaps = full | (unknown if had_one else unknown & seen.closed)
    return tuple(name for name, belongs in possible.items() if belongs is None and name in perhaps)


def _is_unseen(name: str, seen: ServerContents) -> bool:
    return name in seen.closed or (name in seen.holds and seen.holds[name] is None)


def _belongs(name: str, one: WantedDatabase, wanted: Sequence[WantedDatabase], seen: ServerContents) -> bool | None:
    """Whether a database that no tenant has is this one's; None: nothing tells."""
    mark, owner = counts_for(seen.marks.get(name), one.mark), seen.databases[name]
    if mark and mark.stack != one.stack:
        return False
    if mark and mark.tenant in {other.tenant for other in wanted}:
        return mark.tenant == one.tenant
    owners = {other.role: other.tenant for other in wanted if not other.is_admin}
    return owners[owner] == one.tenant if owner in owners else None


def renamed(
    one: WantedDatabase,
    wanted: Sequence[WantedDatabase],
    seen: ServerContents,
    rules: OwnershipRules,
    *,
    existed: bool = False,
) -> Problem | None:
    """The tenant's database is missing, or an empty one that isn't ours has its place, and a full one is nobody's.

    An empty database in the place of a full one that somebody renamed would hide the customer's data.
    """
    displaced = one.database not in seen.databases or _is_strange(one, seen)
    found = candidates(one, wanted, seen, existed=existed) if displaced and one.database not in rules.new else ()
    if not found:
        return None
    state = "is empty" if one.database in seen.databases else "is missing"
    message = f"{one.database} {state}, and {' and '.join(_elsewhere(found, seen))}"
    aside = f"ALTER DATABASE {identifier(one.database)} RENAME TO {identifier(one.database[:50] + '_empty')}; "
    opening = {name: f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS true; " for name in seen.closed}
    undoing = " or ".join(
        f"{opening.get(name, '')}ALTER DATABASE {identifier(name)} RENAME TO {identifier(one.database)}"
        for name in found
    )
    undo = f"{aside if one.database in seen.databases else ''}{undoing}"
    which = "" if len(found) == 1 else " (whichever is the tenant's)"
    fix = f"undo the renaming: {undo}{which}; to get an empty one anyway: orchestrate run --new-database {one.database}"
    return Problem("database-renamed", message, one.tenant, fix)


def _is_strange(one: WantedDatabase, seen: ServerContents) -> bool:
    """Whether an empty one that we did not make has the tenant's place."""
    held = seen.holds.get(one.database)
    return held is not None and held.objects == 0 and one.database not in seen.marks


def _elsewhere(found: Sequence[str], seen: ServerContents) -> Iterator[str]:
    """What is said of databases that were looked into, and of those that nobody could look into."""
    told = {name: f"{name} (owner {seen.databases[name]})" for name in found}
    full, unseen = ([told[name] for name in found if _is_unseen(name, seen) is kind] for kind in (False, True))
    if full:
        yield f"the application's tables are in {', '.join(full)}, which no tenant has"
    if unseen:
        closed = [name for name in found if name in seen.closed]
        why = "which takes no connections" if closed == list(found) else "which could not be inspected"
        yield f"may be under another name: {', '.join(unseen)}, {why} and no tenant has"
