"""Whether an instance may open a connection to a database, by the security groups in the state. Pure.

Left out: network ACLs, routes, peering, what prefix lists hold.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.stack.blueprint.resources import Resource, Resources, texts_in


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One ingress rule: who may come in on which ports."""

    ports: tuple[int, int]
    groups: frozenset[str]
    cidrs: tuple[str, ...]
    listed: bool = False
    """Whether it has a list of addresses (a prefix list) that the state doesn't hold."""

    def opens(self, port: int) -> bool:
        """Whether it is about this port."""
        first, last = self.ports
        return first <= port <= last

    def admits(self, port: int, groups: frozenset[str], addresses: Iterable[str]) -> bool:
        """Whether one with these groups, or at one of these addresses, gets to the port."""
        within = any(_within(address, it) for address in addresses for it in self.cidrs)
        return self.opens(port) and bool(groups & self.groups or within)


def reaches(instance: Resource, database: Resource, state: Resources) -> bool | None:
    """Whether a rule lets the instance in; None where the state doesn't tell: by a list, or by groups of others."""
    behind = frozenset(database.texts("vpc_security_group_ids"))
    doors = tuple(_doors(behind, state))
    known = any(it.text("id") in behind for it in state.of("aws_security_group"))
    if not doors and not known:
        return None
    port = database.values.get("port")
    groups = frozenset(instance.texts("vpc_security_group_ids"))
    number = port if isinstance(port, int) else 5432
    addresses = (instance.text("private_ip"), *instance.texts("ipv6_addresses"))
    if any(door.admits(number, groups, addresses) for door in doors):
        return True
    return None if any(door.listed and door.opens(number) for door in doors) else False


def _doors(behind: frozenset[str], state: Resources) -> Iterator[IngressRule]:
    for group in state.of("aws_security_group"):
        if group.text("id") in behind:
            for rule in group.blocks("ingress"):
                itself = {group.text("id")} if rule.get("self") is True else set()
                sources = frozenset({*texts_in(rule.get("security_groups")), *itself})
                yield _rule(rule, sources)
    for one in state.of("aws_security_group_rule"):
        if one.text("type") == "ingress" and one.text("security_group_id") in behind:
            itself = {one.text("security_group_id")} if one.values.get("self") is True else set()
            sources = frozenset({one.text("source_security_group_id"), *itself} - {""})
            yield _rule(one.values, sources)
    for one in state.of("aws_vpc_security_group_ingress_rule"):
        if one.text("security_group_id") in behind:
            sources = frozenset({one.text("referenced_security_group_id")} - {""})
            cidrs = tuple(filter(None, (one.text("cidr_ipv4"), one.text("cidr_ipv6"))))
            yield IngressRule(_ports(one.values, "ip_protocol"), sources, cidrs, bool(one.text("prefix_list_id")))


def _rule(said: Mapping[str, object], sources: frozenset[str]) -> IngressRule:
    cidrs = (*texts_in(said.get("cidr_blocks")), *texts_in(said.get("ipv6_cidr_blocks")))
    return IngressRule(_ports(said, "protocol"), sources, cidrs, bool(texts_in(said.get("prefix_list_ids"))))


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
