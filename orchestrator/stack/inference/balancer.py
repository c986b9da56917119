"""The load balancer that leads to the sites, and its certificate. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference.choice import pick
from orchestrator.stack.inference.model import ContractDraft, literal
from orchestrator.stack.inference.sites import Site

KEY = ("load_balancer",)


def balancer_of(state: Resources, sites: Sequence[Site], draft: ContractDraft) -> Resource | None:
    """The load balancer of the sites' listeners."""
    arns = dict.fromkeys(arn for site in sites for arn in site.balancers)
    options = [found for arn in arns if (found := state.one("aws_lb", "arn", arn)) is not None]
    return pick(KEY, options, draft, "which load balancer is the stack's?", "dns_name")


def describe(balancer: Resource, sites: Sequence[Site], draft: ContractDraft, state: Resources) -> None:
    """Its part, and the certificate of its listeners that lead to sites: the default one, or one that SNI chooses."""
    draft.put_all(KEY, {name: balancer.text(name) for name in ("arn", "dns_name", "zone_id")}, balancer.address)
    listeners = [route.listener for site in sites for route in site.routes if route.listener]
    mine = [it for it in listeners if it.text("load_balancer_arn") == balancer.text("arn")]
    ours = {it.text("arn") for it in mine}
    added = [it for it in state.of("aws_lb_listener_certificate") if it.text("listener_arn") in ours]
    shown = {it.text("certificate_arn"): it.address for it in (*mine, *added) if it.text("certificate_arn")}
    certificates = shown if len(shown) == 1 else _for_all(shown, sites, state) or shown
    if len(certificates) == 1:
        ((arn, source),) = certificates.items()
        draft.put(("certificate", "arn"), arn, source)
    elif certificates:
        draft.ask(("certificate", "arn"), "which certificate is the sites'?", [literal(arn) for arn in certificates])


def _for_all(shown: Mapping[str, str], sites: Sequence[Site], state: Resources) -> Mapping[str, str]:
    """Those that are for every name of the sites, as far as the state knows their names."""
    hosts = {host for site in sites for host in site.hosts}
    return {arn: source for arn, source in shown.items() if hosts and hosts <= _hosts_of(arn, hosts, state)}


def _hosts_of(arn: str, hosts: Iterable[str], state: Resources) -> set[str]:
    certificate = state.one("aws_acm_certificate", "arn", arn)
    if certificate is None:
        return set()
    names = {certificate.text("domain_name"), *certificate.texts("subject_alternative_names")}
    return {host for host in hosts if {host, f"*.{host.partition('.')[2]}"} & {name.lower() for name in names}}
