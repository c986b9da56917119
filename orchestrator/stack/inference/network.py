"""Whether an instance may open a connection to a database, by the security groups in the state. Pure.

Left out: network ACLs, routes, peering, prefix lists.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.stack.blueprint.resources import Resource, Resources, texts_in


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One ingress rule: who may come in on which ports."""

    ports: tuple[int, int]
    groups: frozenset[str]
    cidrs: tuple[str, ...]

    def admits(self, port: int, groups: frozenset[str], address: str) -> bool:
        """Whether one with these groups, or at this address, gets to the port."""
        first, last = self.ports
        return first <= port <= last and bool(groups & self.groups or any(_within(address, it) for it in self.cidrs))


def reaches(instance: Resource, database: Resource, state: Resources) -> bool | None:
    """Whether a rule lets the instance in; None where the state holds none of the database's groups."""
    behind = frozenset(database.texts("vpc_security_group_ids"))
    doors = tuple(_doors(behind, state))
    known = any(it.text("id") in behind for it in state.of("aws_security_group"))
    if not doors and not known:
        return None
    port = database.values.get("port")
    groups = frozenset(instance.texts("vpc_security_group_ids"))
    address = instance.text("private_ip")
    return any(door.admits(port if isinstance(port, int) else 5432, groups, address) for door in doors)


def _doors(behind: frozenset[str], state: Resources) -> Iterator[IngressRule]:
    for group in state.of("aws_security_group"):
        if group.text("id") in behind:
            for rule in group.blocks("ingress"):
                itself = {group.text("id")} if rule.get("self") is True else set()
                sources = frozenset({*texts_in(rule.get("security_groups")), *itself})
                yield IngressRule(_ports(rule, "protocol"), sources, texts_in(rule.get("cidr_blocks")))
    for one in state.of("aws_security_group_rule"):
        if one.text("type") == "ingress" and one.text("security_group_id") in behind:
            itself = {one.text("security_group_id")} if one.values.get("self") is True else set()
            sources = frozenset({one.text("source_security_group_id"), *itself} - {""})
            yield IngressRule(_ports(one.values, "protocol"), sources, one.texts("cidr_blocks"))
    for one in state.of("aws_vpc_security_group_ingress_rule"):
        if one.text("security_group_id") in behind:
            sources = frozenset({one.text("referenced_security_group_id")} - {""})
            yield IngressRule(_ports(one.values, "ip_protocol"), sources, tuple(filter(None, [one.text("cidr_ipv4")])))


def _ports(rule: Mapping[str, object], protocol: str) -> tuple[int, int]:
    """The range; protocol -1 is every port, udp none of ours."""
    first, last = rule.get("from_port"), rule.get("to_port")
    if str(rule.get(protocol)) in ("-1", "all"):
        return 0, 65535
    if str(rule.get(protocol)) not in ("tcp", "6") or not isinstance(first, int) or not isinstance(last, int):
        return 0, -1
    return first, last


def _within(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
