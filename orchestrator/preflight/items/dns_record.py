"""Every hostname points to the current load balancer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, TenantService, passed, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.blueprint.tenancy import contract_of
from orchestrator.stack.records import RECORDS, DnsRecord, distribution_of, is_private, leading_to, records_of

BALANCERS = ("aws_lb", "aws_elb")
_TARGETS = ("target", "value", "values", "content", "data", "cname", "records", "addresses")
"""Attributes in which unknown providers put a record's target."""
ZONE = "aws_route53_zone"
_HCL = 'dns = {\n  provider = "route53"\n  zone     = "<zone>"\n} # in the `orchestrator` output'

_FILE = 'in orchestrate.toml: [contract] dns = { provider = "route53", zone = "ZONE" } (or porkbun, or lexicon:NAME)'


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Who will switch the record: Terraform itself, or orchestrate apply."""
    records = records_of(_everything(evidence))
    managed = _managed(evidence, records)
    for unit in evidence.units:
        if not unit.service.get("load_balancer") and unit.tenant not in evidence.known_tenants:
            continue  # it has no site
        host = evidence.tenancy.tenants[unit.tenant].hostname if unit.tenant in evidence.tenancy.tenants else ""
        record = next((one for one in managed if host and _is_for(one, host)), None)
        other = next((one for one in records if host and one.is_for(host) and not _is_a_balancers(one)), None)
        front = distribution_of(host, _everything(evidence)) if host else None
        if record is not None:
            yield passed(f"Terraform keeps {host} on the load balancer", subject=unit.tenant, address=record.address)
        elif not host and managed:
            kept = managed[0].name or managed[0].address
            yield passed(f"Terraform keeps {kept} on a load balancer", subject=unit.tenant)
        elif front is not None:
            yield passed(f"visitors of {host} come through CloudFront", subject=unit.tenant, address=front.address)
        elif other is not None:
            says = f"Terraform has a record of {host}, which leads to something in front of the load balancer"
            yield passed(says, subject=unit.tenant, address=other.address)
        elif _is_ours(unit.tenant, host, evidence):
            yield unknown(f"orchestrate apply switches {host or 'its name'} to the load balancer", subject=unit.tenant)
        else:
            yield _nobody(
                unit, host or "the site's name", says_itself=contract_of(evidence.blueprint.outputs) is not None
            )


def _is_for(record: DnsRecord, host: str) -> bool:
    """Of one whose zone isn't in the state, its part of the name has to do: it leads to the load balancer."""
    parts = () if record.name else record.words
    return record.is_for(host) or any(host.startswith(f"{word}.") for word in parts if word)


def _everything(evidence: Evidence) -> list[Resource]:
    """Resources and data sources: a load balancer, a zone or a CDN may be another team's."""
    return [*evidence.blueprint.resources.values(), *evidence.blueprint.looked_up]


def _is_a_balancers(record: DnsRecord) -> bool:
    """Whether it leads to a load balancer of AWS's by its name: which one that is, its name alone doesn't tell."""
    return any(".elb." in target or ".elasticloadbalancing." in target for target in record.targets)


def _is_ours(tenant: str, host: str, evidence: Evidence) -> bool:
    """The contract names the provider; or nothing is known of the tenant yet, and the state will: it has the zone."""
    contract = evidence.contract or {}
    own = contract.get("tenants", {}).get(tenant, {}) if isinstance(contract.get("tenants"), Mapping) else {}
    if contract.get("dns") or own.get("dns"):
        return True
    zones = [*evidence.blueprint.of_type(ZONE), *(one for one in evidence.blueprint.looked_up if one.type == ZONE)]
    public = [one.text("name").rstrip(".") for one in zones if not is_private(one)]
    inside = any(f".{host}".endswith(f".{name}") for name in public if name)
    return tenant not in evidence.known_tenants and (inside or (not host and bool(public)))


def _managed(evidence: Evidence, records: Sequence[DnsRecord]) -> list[DnsRecord]:
    """Records of Terraform's, at whichever provider, that lead to a load balancer or are made from one."""
    blueprint = evidence.blueprint
    balancers = [it for it in _everything(evidence) if it.type in BALANCERS]
    named = [it.text("dns_name") for it in balancers if it.text("dns_name")]
    leading = {one.address for name in named for one in leading_to(name, records)}
    there = {one.address: one for one in records if one.name or one.address in leading}
    return [one for at, one in there.items() if at in leading or _is_made_from_one(evidence, blueprint.resources[at])]


def _is_made_from_one(evidence: Evidence, record: Resource) -> bool:
    paths = ("alias", *RECORDS.get(record.type, ((), _TARGETS))[1])
    return any(it.type in BALANCERS for path in paths for it in sources(evidence.blueprint, record, path))


def _nobody(unit: TenantService, host: str, *, says_itself: bool) -> Remark:
    """Where the provider is to be named: in the stack's own output, if it has one."""
    return Remark(
        status=Status.FAILED,
        code="dns-switched-by-nobody",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says=f"{host} keeps pointing to the old load balancer when a new one is created",
        why="no record in Terraform points to the load balancer, and orchestrate has no DNS provider",
        address=unit.service.address,
        current="no aws_route53_record, no `dns` in the contract",
        wanted="a record that follows the load balancer",
        hcl=_HCL if says_itself else "",
        fix="" if says_itself else _FILE,
    )


ITEM = Item(
    id="dns-record",
    title="Every hostname points to the current load balancer",
    occasion=Checklist.AFTER,
    judge=seen_by("dns-records", judge),
    lines=("Update DNS CNAME to point to new ALB DNS name",),
)
