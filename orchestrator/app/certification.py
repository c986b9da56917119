"""One command's work on one certificate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from orchestrator.app.context import connect_provider, limits_of
from orchestrator.aws.access import Access
from orchestrator.aws.acm import Acm
from orchestrator.aws.session import Aws
from orchestrator.dns import certificates
from orchestrator.engine import runner
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.runner import Around, Report
from orchestrator.events import Emit
from orchestrator.settings import Settings


class Certification:
    """One command's work on one certificate. It needs no stack: `terraform apply` makes that around it."""

    def __init__(
        self,
        request: certificates.Request,
        settings: Settings,
        environment: Mapping[str, str],
        clock: SystemClock,
        access: Access | None = None,
    ) -> None:
        access = access or Access(environment, settings["profile"], role=settings["role"])
        self.aws = Aws(request.region, access)
        self._account = request.account_id
        self._clock = clock
        self._limits = limits_of(settings, access)
        named = [one for one in (request.dns, *request.names.values()) if one]
        roles = {one.zone: one.role_arn for one in named if one.role_arn}
        make = cache(lambda name: connect_provider(name, self.aws, settings, environment, clock, roles=roles))
        for wanted in named:
            make(wanted.provider)
        self._context = certificates.CertificateContext(request, Acm(self.aws.client("acm")), make, clock.now)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Until it is issued."""
        if self._account:
            self.aws.require_account(self._account)
        return runner.run(
            [certificates.STEP], self._context, clock=self._clock, emit=emit, limits=self._limits, around=around
        )
