"""The load balancer's current name: to change DNS by hand later, you need to know what to replace."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed, unknown
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import UNKNOWN

BALANCERS = ("aws_lb", "aws_elb")


def judge(evidence: Evidence) -> Iterator[Remark]:
    """It is among the outputs: written down in every run's record, and shown by `terraform output`."""
    for one in evidence.blueprint.of_type(*BALANCERS):
        name = one.get("dns_name")
        if name is UNKNOWN:
            yield unknown("each new load balancer gets a new name", address=one.address)
        elif name and name in set(_words(evidence.blueprint.outputs)):
            yield passed(f"its name is {name}", address=one.address, current=str(name))
        else:
            yield Remark(
                status=Status.FAILED,
                code="load-balancer-name-not-noted",
                severity=Severity.WARNING,
                says="afterwards, nobody knows where the DNS records pointed",
                why="no output has the load balancer's name",
                address=one.address,
                current=f"{name or 'no name'}, in no output",
                wanted="an output with its name",
                hcl=f'output "alb_dns_name" {{\n  value = {one.written}.dns_name\n}}',
            )


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)


ITEM = Item(
    id="load-balancer-name",
    title="The load balancer's name is noted",
    occasion=Checklist.DESTROY,
    judge=judge,
    lines=("Note current ALB DNS for reference",),
)
