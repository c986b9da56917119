"""AWS quotas that a stack with many tenants reaches: the apply would stop with half of the tenants created.

The figures are AWS's published defaults (each service's page "Quotas"). Where a quota can be raised and a stack
exceeds its default, the account's own figure is read. Resources of other stacks in the account are
not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from orchestrator.checklist.facts import doors
from orchestrator.checklist.lines import of_one
from orchestrator.checklist.model import Checklist, Evidence, Item, NotConcerned, Remark, Status
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint import references
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

APART = "spread the tenants over two stacks: each has a load balancer of its own"


@dataclass(frozen=True, slots=True)
class ServiceQuota:
    """`service` and `code` are those of Service Quotas; `way_out` is another one than to ask for more."""

    name: str
    most: int
    service: str
    code: str
    way_out: str
    adjustable: bool = True


TARGET_GROUPS = ServiceQuota(
    "target groups of a load balancer", 100, "elasticloadbalancing", "L-822D1B1B", APART, False
)
RULES = ServiceQuota("rules of a load balancer", 100, "elasticloadbalancing", "L-7EED9B64", APART)
CERTIFICATES = ServiceQuota(
    "certificates of a load balancer besides the default one",
    25,
    "elasticloadbalancing",
    "L-9365A611",
    "put several names on one certificate, or a wildcard",
)
NAMES = ServiceQuota(
    "names of a certificate", 10, "acm", "L-FB94F0B0", "give `certificate_arn` of one with a wildcard for the zone"
)
OPENINGS = ServiceQuota(
    "inbound rules of a security group", 60, "vpc", "L-0EA8095F", "let the tenants' tasks share one security group"
)
BALANCERS, LISTENERS = ("aws_lb",), ("aws_lb_listener",)
RULE_TYPES, GROUPS = ("aws_lb_listener_rule",), ("aws_lb_target_group",)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many of something a resource will have."""

    quota: ServiceQuota
    number: int
    address: str


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Every load balancer, certificate and security group."""
    good = "load balancers, certificates and security groups are within AWS's quotas"
    yield from of_one(partial(_all, evidence), good, "", "", planned=evidence.planned)


def _all(evidence: Evidence) -> Iterator[Remark]:
    counted = list(_counted(evidence))
    if not counted:
        raise NotConcerned
    for one in counted:
        told = evidence.quotas.get(one.quota.code)
        most = one.quota.most if told is None else told
        if one.number > most:
            yield _exceeded(one, most=most, sure=told is not None or not one.quota.adjustable)


def _counted(evidence: Evidence) -> Iterator[Counted]:
    for resource in evidence.blueprint.of_type(*BALANCERS, "aws_acm_certificate", "aws_security_group"):
        yield from counts(resource, evidence)


def beyond(evidence: Evidence) -> frozenset[ServiceQuota]:
    """The quotas whose default the stack exceeds, and that may have been raised: worth asking for."""
    counted = _counted(evidence)
    return frozenset(one.quota for one in counted if one.quota.adjustable and one.number > one.quota.most)


def _exceeded(one: Counted, *, most: int, sure: bool) -> Remark:
    quota = one.quota
    figure = "this account's quota" if sure else "AWS's default; the account's own quota is not known"
    more = f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code}"
    ask = f"{more} --desired-value {one.number}; or {quota.way_out}" if quota.adjustable else quota.way_out
    return Remark(
        status=Status.FAILED,
        code="quota-exceeded",
        severity=Severity.BLOCKER if sure else Severity.WARNING,
        says=f"AWS allows fewer {quota.name} than the stack needs",
        why="AWS refuses the rest in the middle of the apply",
        address=one.address,
        current=f"{one.number} {quota.name}",
        wanted=f"at most {most} ({figure})",
        fix=ask,
    )


def counts(resource: Resource, evidence: Evidence) -> Iterator[Counted]:
    """What a load balancer, a certificate or a security group will have, as far as it is known."""
    if resource.type == "aws_acm_certificate":
        others = resource.get("subject_alternative_names")
        names = {one for one in others if isinstance(one, str)} if isinstance(others, list) else set()
        yield Counted(NAMES, len(names | {resource.text("domain_name")}), resource.address)
    elif resource.type == "aws_security_group":
        ingress = doors(evidence, resource).group.ingress
        # In a state each stands twice: as a resource, and in the group itself.
        openings = {(rule.first, rule.last, source) for rule in ingress for source in rule.sources or ("",)}
        yield Counted(OPENINGS, len(openings), resource.address)
    elif resource.get("load_balancer_type") in (None, UNKNOWN, "", "application"):
        yield from _of_balancer(resource, evidence)


def _of_balancer(balancer: Resource, evidence: Evidence) -> Iterator[Counted]:
    blueprint = evidence.blueprint
    listeners = _naming(evidence, [balancer], LISTENERS, "load_balancer_arn")
    rules = _naming(evidence, listeners, RULE_TYPES, "listener_arn")
    groups = {
        met.address
        for path, named in (("default_action", listeners), ("action", rules))
        for one in named
        for kind in GROUPS
        for met in references.targets(blueprint, one, kind, path, 0, "target_group_arn").any
    }
    certificates = _naming(evidence, listeners, ("aws_lb_listener_certificate",), "listener_arn")
    yield Counted(RULES, len(rules), balancer.address)
    yield Counted(TARGET_GROUPS, len(groups), balancer.address)
    yield Counted(CERTIFICATES, len(certificates), balancer.address)


def _naming(evidence: Evidence, resources: Iterable[Resource], kinds: Iterable[str], attribute: str) -> list[Resource]:
    """The resources of these types that name one of the resources."""
    found = {
        one.address: one
        for resource in resources
        for kind in kinds
        for one in references.referrers(evidence.blueprint, resource, kind, attribute).any
    }
    return list(found.values())


ITEM = Item(
    id="quotas",
    title="The stack stays within AWS's quotas",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
