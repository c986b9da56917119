"""The instance that SSM's commands run on: its role lets its agent report, and the database lets it in. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference.choice import named, pick
from orchestrator.stack.inference.model import ContractDraft, at
from orchestrator.stack.inference.network import reaches
from orchestrator.stack.inference.permissions import InstanceRole, role_of

KEY = ("runner",)
_GONE = frozenset({"terminated", "shutting-down"})


def runner_of(state: Resources, server: Resource | None, draft: ContractDraft) -> Resource | None:
    """The instance, if just one can be it for certain. One that perhaps can is asked about, even alone."""
    instances = [it for it in state.of("aws_instance") if it.text("instance_state") not in _GONE]
    chosen = named(KEY, instances, draft) if draft.mapped.says(KEY) else _found(state, instances, server, draft)
    if chosen is not None:
        draft.put((*KEY, "instance_id"), chosen.text("id"), chosen.place("id"))
    return chosen


def _found(
    state: Resources, instances: Sequence[Resource], server: Resource | None, draft: ContractDraft
) -> Resource | None:
    roles = {it.address: role_of(it, state) for it in instances}
    ways = {it.address: reaches(it, server, state) if server else None for it in instances}
    certain = [it for it in instances if roles[it.address].registers and ways[it.address]]
    perhaps = [
        it
        for it in instances
        if (roles[it.address].registers or not roles[it.address].known) and ways[it.address] is not False
    ]
    if certain:
        return pick(KEY, certain, draft, ASKS, "private_ip")
    if perhaps and server is None and any(one.key == ("database",) for one in draft.questions):
        return None  # which of them reaches the server follows from which server it is
    if perhaps:
        draft.ask(KEY, ASKS, [at(it.address, it.text("private_ip")) for it in perhaps])
    else:
        said = "no instance in the state can run commands and reach the database: use --database-transport direct"
        draft.remark(said)
    return None


ASKS = "which instance should run commands? It needs an SSM agent, psql and a route to the database"


def role_of_runner(instance: Resource | None, state: Resources) -> InstanceRole:
    """What the runner may read. Without one the caller reads, of whom the state says nothing."""
    return role_of(instance, state) if instance else InstanceRole(known=False)
