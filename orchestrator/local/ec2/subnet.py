"""Which addresses of a subnet are free: no network interface's, no instance's, and none that AWS keeps."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

FIRST_KEPT, LAST_KEPT = 4, 1
"""Addresses at either end that AWS keeps for itself (VPC user guide, "Subnet CIDR blocks")."""
TRIES = 64
NO_ADDRESS = "InsufficientFreeAddressesInSubnet"
"""EC2's code when there is none."""


def any_address(backend: Any, subnet: Any) -> str:
    """A free address of the subnet, not likely the one just given back; empty: it is full."""
    numbers = range(FIRST_KEPT, subnet.cidr.num_addresses - LAST_KEPT)
    some = random.sample(numbers, min(TRIES, len(numbers)))
    return _first_free(backend, subnet, some) or _first_free(backend, subnet, numbers)


def lowest_address(backend: Any, subnet: Any) -> str:
    """The lowest free address of the subnet; empty: it is full."""
    return _first_free(backend, subnet, range(FIRST_KEPT, subnet.cidr.num_addresses - LAST_KEPT))


def _first_free(backend: Any, subnet: Any, numbers: Iterable[int]) -> str:
    taken = {interface.private_ip_address for interface in list(backend.enis.values())} | set(subnet._subnet_ips)
    addresses = (str(subnet.cidr.network_address + number) for number in numbers)
    return next((address for address in addresses if address not in taken), "")
