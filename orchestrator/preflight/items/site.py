"""The site answers a browser: its name, a certificate, a way to healthy tasks."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity

SECURE = ("HTTPS", "TLS")
_HCL = """resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.this.arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tenant.arn
  }
}"""


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Before it is applied only that nothing would listen for HTTPS."""
    listeners = list(evidence.blueprint.of_type("aws_lb_listener"))
    if listeners and not any(one.text("protocol") in SECURE for one in listeners):
        yield Remark(
            status=Status.FAILED,
            code="https-listener-missing",
            severity=Severity.WARNING,
            says="no site answers https://",
            why="no listener of the load balancer speaks HTTPS",
            address=listeners[0].address,
            current=", ".join(f"{one.text('protocol')} on {one.text('port')}" for one in listeners),
            wanted="HTTPS on 443, with a certificate",
            hcl=_HCL,
        )
        return
    for unit in evidence.units:
        host = evidence.tenancy.tenants[unit.tenant].hostname if unit.tenant in evidence.tenancy.tenants else "the site"
        yield unknown(f"whether {host or 'the site'} answers can be seen only once it is applied", subject=unit.tenant)


ITEM = Item(
    id="site",
    title="Every site answers a browser",
    occasion=Checklist.AFTER,
    judge=seen_by("sites", judge),
    lines=("Test site loads at https://demo.vigilon.app",),
)
