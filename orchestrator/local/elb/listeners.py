"""The application load balancers that moto holds, as values: rules, certificates, state. Read afresh on each use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moto.acm.models import acm_backends
from moto.elbv2.models import elbv2_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.elb.routing import RoutingRule, names_host


@dataclass(frozen=True, slots=True)
class ListenerCertificate:
    """An ACM certificate's ARN and the names it is for, its domain name first."""

    arn: str
    domains: tuple[str, ...]

    def covers(self, name: str) -> bool:
        """Whether the name is one of them; `*` stands for one label."""
        name = name.lower()
        wildcard = "*." + name.partition(".")[2]
        return any(domain.lower() in {name, wildcard} for domain in self.domains)


@dataclass(frozen=True, slots=True)
class Listener:
    """An HTTPS listener. The default certificate is the first."""

    certificates: tuple[ListenerCertificate, ...]
    rules: tuple[RoutingRule, ...]

    def certificate(self, server_name: str | None) -> ListenerCertificate | None:
        """What a client that asks for the server name is shown: the default when none fits."""
        fitting = (one for one in self.certificates if server_name and one.covers(server_name))
        return next(fitting, None) or next(iter(self.certificates), None)


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer that is active. `listener` is its HTTPS listener (the lowest port's), if it has one."""

    arn: str
    dns_name: str
    listener: Listener | None


def active() -> list[Balancer]:
    """Every active application load balancer of every region, the oldest first."""
    held = [one for backend in list(elbv2_backends[ACCOUNT].values()) for one in list(backend.load_balancers.values())]
    return [_balancer(one) for one in held if one.state == "active" and one.type == "application"]


def serving(balancers: Iterable[Balancer], host: str) -> Balancer | None:
    """Whose request it is, where several share one address: the one named, else with a rule for it, else the first."""
    balancers = [one for one in balancers if one.listener]
    named = (one for one in balancers if one.dns_name.lower() == host.lower())
    ruled = (one for one in balancers if one.listener and names_host(one.listener.rules, host))
    return next(named, None) or next(ruled, None) or next(iter(balancers), None)


def _balancer(held: Any) -> Balancer:
    secure = sorted(
        (one for one in list(held.listeners.values()) if one.protocol == "HTTPS"), key=lambda one: int(one.port)
    )
    return Balancer(held.arn, held.dns_name, _listener(secure[0]) if secure else None)


def _listener(held: Any) -> Listener:
    arns = dict.fromkeys([held.certificate, *held.certificates])
    certificates = tuple(one for arn in arns if arn and (one := _certificate(arn)))
    return Listener(certificates, tuple(_rule(one) for one in list(held.rules.values())))


def _certificate(arn: str) -> ListenerCertificate | None:
    """None: the ARN is none of ACM's (an IAM server certificate, or it was deleted)."""
    region = arn.split(":")[3]
    bundle = acm_backends[ACCOUNT][region]._certificates.get(arn) if region else None
    if bundle is None:
        return None
    return ListenerCertificate(arn, tuple(dict.fromkeys([bundle.common_name, *bundle.sans])))


def _rule(held: Any) -> RoutingRule:
    priority = float("inf") if held.is_default else float(held.priority)
    return RoutingRule(priority, tuple(held.conditions or ()), tuple(action.data for action in held.actions))
