"""The load balancer that leads to the sites, and its certificate. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.inference.choice import pick
from orchestrator.inference.model import Draft, literal
from orchestrator.inference.sites import Site
from orchestrator.inference.state import Resource, State

KEY = ("load_balancer",)


def balancer_of(state: State, sites: Sequence[Site], draft: Draft) -> Resource | None:
    """The load balancer of the sites' listeners."""
    arns = dict.fromkeys(arn for site in sites for arn in site.balancers)
    options = [found for arn in arns if (found := state.one("aws_lb", "arn", arn)) is not None]
    return pick(KEY, options, draft, "which load balancer is the stack's?", "dns_name")


def describe(balancer: Resource, sites: Sequence[Site], draft: Draft) -> None:
    """Its part, and the certificate of its listeners that lead to sites."""
    draft.put_all(KEY, {name: balancer.text(name) for name in ("arn", "dns_name", "zone_id")}, balancer.address)
    listeners = [route.listener for site in sites for route in site.routes if route.listener]
    mine = [it for it in listeners if it.text("load_balancer_arn") == balancer.text("arn")]
    certificates = {it.text("certificate_arn"): it.address for it in mine if it.text("certificate_arn")}
    if len(certificates) == 1:
        ((arn, source),) = certificates.items()
        draft.put(("certificate", "arn"), arn, source)
    elif certificates:
        draft.ask(("certificate", "arn"), "which certificate is the sites'?", [literal(arn) for arn in certificates])
