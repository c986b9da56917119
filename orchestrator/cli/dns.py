"""`orchestrate dns`: the hostnames' records by themselves."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import contract_option, dns_options
from orchestrator.cli.shape import CommandGroup

_APPROVE = click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")


@click.group(cls=CommandGroup)
def dns() -> None:
    """Manage only the hostnames' DNS records."""


@dns.command()
@contract_option
@dns_options
def plan(**given: Any) -> None:
    """Show what would change, old and new, changing nothing. Exit status 6: something would; 3: it is refused."""
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows import dns

    carry_out(dns.plan, dns.DnsOptions(tenants=given["tenants"], adopt=given["adopt"]), given)


@dns.command()
@_APPROVE
@contract_option
@dns_options
def apply(*, auto_approve: bool, **given: Any) -> None:
    """Show the changes, then make exactly those or none, and wait until they are visible."""
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows import dns

    carry_out(dns.apply, dns.DnsOptions(tenants=given["tenants"], adopt=given["adopt"], approved=auto_approve), given)


@dns.command()
@click.option(
    "--ask", "servers", multiple=True, metavar="ADDRESS:PORT", help="Also ask this server [default: public resolvers]."
)
@contract_option
@dns_options
def check(servers: tuple[str, ...], **given: Any) -> None:
    """Ask the zones' own name servers, then public resolvers, what the world sees. Exit status 6: not right yet."""
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows import dns

    carry_out(dns.check, dns.DnsOptions(tenants=given["tenants"], adopt=given["adopt"], servers=servers), given)


@dns.command()
@_APPROVE
@contract_option
@dns_options
def undo(*, auto_approve: bool, **given: Any) -> None:
    """Restore what our last change to each name replaced, unless somebody has changed it since."""
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows import dns

    carry_out(dns.undo, dns.DnsOptions(tenants=given["tenants"], adopt=given["adopt"], approved=auto_approve), given)
