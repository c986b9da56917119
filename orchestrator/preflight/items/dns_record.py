"""Every hostname leads to the current load balancer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, TenantService, passed, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.blueprint.tenancy import contract_of
from orchestrator.stack.records import RECORDS, DnsRecord, distribution_of, leading_to, records_of

BALANCERS = ("aws_lb", "aws_elb")
ZONE = "aws_route53_zone"
_HCL = 'dns = {\n  provider = "route53"\n  zone     = "<zone>"\n} # in the `orchestrator` output'

_FILE = 'in orchestrate.toml: [contract] dns = { provider = "route53", zone = "ZONE" } (or porkbun, or lexicon:NAME)'


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Who will switch the record: Terraform itself, or orchestrate apply."""
    managed = _managed(evidence)
    everything = evidence.blueprint.resources.values()
    for unit in evidence.units:
        if not unit.service.get("load_balancer") and unit.tenant not in evidence.known_tenants:
            continue  # it has no site
        host = evidence.tenancy.tenants[unit.tenant].hostname if unit.tenant in evidence.tenancy.tenants else ""
        record = next((one for one in managed if host and one.is_for(host)), None)
        front = distribution_of(host, everything) if host else None
        if record is not None:
            yield passed(f"Terraform keeps {host} on the load balancer", subject=unit.tenant, address=record.address)
        elif not host and managed:
            yield passed(f"Terraform keeps {managed[0].name} on a load balancer", subject=unit.tenant)
        elif front is not None:
            yield passed(f"visitors of {host} come through CloudFront", subject=unit.tenant, address=front.address)
        elif _is_ours(unit.tenant, host, evidence):
            yield unknown(f"orchestrate apply switches {host or 'its name'} to the load balancer", subject=unit.tenant)
        else:
            yield _nobody(
                unit, host or "the site's name", says_itself=contract_of(evidence.blueprint.outputs) is not None
            )


def _is_ours(tenant: str, host: str, evidence: Evidence) -> bool:
    """The contract names the provider; or nothing is known of the tenant yet, and the state will: it has the zone."""
    contract = evidence.contract or {}
    own = contract.get("tenants", {}).get(tenant, {}) if isinstance(contract.get("tenants"), Mapping) else {}
    if contract.get("dns") or own.get("dns"):
        return True
    zones = [*evidence.blueprint.of_type(ZONE), *(one for one in evidence.blueprint.looked_up if one.type == ZONE)]
    public = [one.text("name").rstrip(".") for one in zones if not one.get("private_zone") and not one.get("vpc")]
    inside = any(f".{host}".endswith(f".{name}") for name in public if name)
    return tenant not in evidence.known_tenants and (inside or (not host and bool(public)))


def _managed(evidence: Evidence) -> list[DnsRecord]:
    """Records of Terraform's, at whichever provider, that lead to a load balancer or are made from one."""
    blueprint = evidence.blueprint
    named = [it.text("dns_name") for it in blueprint.of_type(*BALANCERS) if it.text("dns_name")]
    there = {one.address: one for one in records_of(blueprint.resources.values()) if one.name}
    leading = {one.address for name in named for one in leading_to(name, tuple(there.values()))}
    return [one for at, one in there.items() if at in leading or _is_made_from_one(evidence, blueprint.resources[at])]


def _is_made_from_one(evidence: Evidence, record: Resource) -> bool:
    paths = ("alias", *RECORDS[record.type][1])
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
