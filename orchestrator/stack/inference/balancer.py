"""The load balancers of the sites, and their certificates. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference.choice import named, pick
from orchestrator.stack.inference.model import ContractDraft, Key, at, literal
from orchestrator.stack.inference.sites import Site

KEY = ("load_balancer",)
_UNKNOWN = "the state doesn't hold it: say its arn, dns_name and zone_id in [contract.tenants.NAME.load_balancer]"
Balancers = Mapping[str, Resource]
"""Site → its load balancer."""


def balancers_of(state: Resources, sites: Sequence[Site], draft: ContractDraft) -> Balancers:
    """Of each site its own, by its rules; where orchestrate.toml names the stack's one, of those that it leads to.

    A site that several lead to is asked about; where it is the same ones for all, that is one question.
    """
    leading = {site.name: _known(site.balancers, state) for site in sites}
    every = {one.address: one for some in leading.values() for one in some}
    alike = len({tuple(one.address for one in some) for some in leading.values()}) == 1
    if draft.mapped.says(KEY) or (alike and len(every) != 1):
        chosen = pick(KEY, list(every.values()), draft, "which load balancer is the stack's?", "dns_name")
        return {name: chosen for name, some in leading.items() if chosen is not None and chosen in some}
    found = {}
    for name, some in leading.items():
        one = _own(name, some, draft)
        if one is not None:
            found[name] = one
    return found


def _known(arns: Iterable[str], state: Resources) -> list[Resource]:
    return [found for arn in arns if (found := state.one("aws_lb", "arn", arn)) is not None]


def _own(name: str, options: Sequence[Resource], draft: ContractDraft) -> Resource | None:
    """The tenant's: the only one that leads to it, the one that orchestrate.toml names, or a question."""
    key = ("tenants", name, *KEY)
    chosen = named(key, options, draft)
    if chosen is None and len(options) == 1:
        return options[0]
    if chosen is None:
        asks = f"which load balancer sends visitors to {name}?"
        draft.ask(key, asks, [at(one.address, one.text("dns_name")) for one in options], "" if options else _UNKNOWN)
    return chosen


def main_of(balancers: Balancers) -> Resource | None:
    """The stack's: the one that leads to most of its sites, the first among equals. The others are their tenants'."""
    counted = Counter(one.address for one in balancers.values())
    return max(balancers.values(), key=lambda one: counted[one.address], default=None)


def describe(balancers: Balancers, sites: Sequence[Site], draft: ContractDraft, state: Resources) -> None:
    """Their parts of the contract, and the certificates of their listeners."""
    main = main_of({site.name: balancers[site.name] for site in sites if site.name in balancers})
    if main is None:
        return
    draft.put_all(KEY, _values(main))
    led: dict[str, list[Site]] = {}
    for site in sites:
        if site.name in balancers:
            led.setdefault(balancers[site.name].address, []).append(site)
    _certified(main, led.pop(main.address), draft, state)
    for some in led.values():
        for site in some:
            own = balancers[site.name]
            key = ("tenants", site.name)
            draft.put_all((*key, *KEY), _values(own))
            _only(own, [site], (*key, "certificate", "arn"), draft, state)


def _values(balancer: Resource) -> Mapping[str, tuple[str, str]]:
    return {name: (balancer.text(name), balancer.place(name)) for name in ("arn", "dns_name", "zone_id")}


def _certified(balancer: Resource, sites: Sequence[Site], draft: ContractDraft, state: Resources) -> None:
    """The certificate that is for all of these sites; where there is none, each site's own, if that is known of all."""
    key = ("certificate", "arn")
    shown = _shown(balancer, sites, state)
    each = {site.name: _for_all(shown, [site], state) for site in sites}
    if len(shown) < 2 or len(_for_all(shown, sites, state)) == 1 or any(len(some) != 1 for some in each.values()):
        _only(balancer, sites, key, draft, state)
        return
    first, *_ = next(iter(each.values()))
    draft.put(key, first, shown[first])
    for name, (own, *_) in each.items():
        if own != first:
            draft.put(("tenants", name, *key), own, shown[own])


def _only(balancer: Resource, sites: Sequence[Site], key: Key, draft: ContractDraft, state: Resources) -> None:
    shown = _shown(balancer, sites, state)
    certificates = shown if len(shown) == 1 else _for_all(shown, sites, state) or shown
    if len(certificates) == 1:
        ((arn, source),) = certificates.items()
        draft.put(key, arn, source)
    elif certificates:
        draft.ask(key, "which certificate is the sites'?", [literal(arn) for arn in certificates])


def _shown(balancer: Resource, sites: Sequence[Site], state: Resources) -> Mapping[str, str]:
    """By ARN, with its place: what its listeners that lead to the sites show by default, and what SNI chooses from.

    ACM's alone: one that was uploaded to IAM is neither validated nor renewed.
    """
    listeners = [route.listener for site in sites for route in site.routes if route.listener]
    mine = [it for it in listeners if it.text("load_balancer_arn") == balancer.text("arn")]
    ours = {it.text("arn") for it in mine}
    added = [it for it in state.of("aws_lb_listener_certificate") if it.text("listener_arn") in ours]
    key = "certificate_arn"
    return {it.text(key): it.place(key) for it in (*mine, *added) if ":acm:" in it.text(key)}


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
