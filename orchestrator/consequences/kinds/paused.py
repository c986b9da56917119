"""A paused stack: its services run nothing and its database server is stopped, on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading


@dataclass(frozen=True, slots=True)
class RunState:
    """How many tasks each service should run, and each database server's status (RDS's word)."""

    desired: Mapping[str, int]
    servers: Mapping[str, str]


def is_paused(rest: RunState) -> bool:
    """Every service at 0, every server stopped (or on its way there); a stack without either is not paused."""
    stopped = all(status in ("stopped", "stopping") for status in rest.servers.values())
    return bool(rest.desired and rest.servers) and not any(rest.desired.values()) and stopped


def rest_of(scene: PlanReading) -> RunState:
    """As Terraform's refresh found it."""
    counts = {one.text("name"): one.text("desired_count") or "0" for one in scene.there("aws_ecs_service")}
    desired = {name: int(count) for name, count in counts.items() if count.isdecimal()}
    servers = {one.text("identifier"): one.text("status") for one in scene.there("aws_db_instance")}
    return RunState(desired, servers)


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Said once, whatever the plan changes."""
    yield from of_rest(rest_of(scene), scene.tenancy.stack)


def of_rest(rest: RunState, stack: str) -> Iterable[Consequence]:
    """The same for what was seen live."""
    if is_paused(rest):
        server = next(iter(rest.servers))
        yield Consequence(
            code="stack-paused",
            effect=Effect.DISTURBANCE,
            name=f"paused:{stack or 'stack'}",
            says="the stack is paused: no site answers, and none will after this apply",
            why=f"every service has a desired count of 0, and {server} is {rest.servers[server]}",
            then="orchestrate resume first: RDS refuses to change a stopped server, and no database can be inspected",
        )


KIND = Kind("A paused stack", judge)
