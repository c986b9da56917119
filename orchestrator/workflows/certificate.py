"""Prove to ACM that the names are ours, and wait until it has issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import __version__
from orchestrator.errors import Outcome
from orchestrator.events import Emit, RunStarted
from orchestrator.workflows.caller import Caller, StackRef, ignore
from orchestrator.workflows.execution import Execution, perform

if TYPE_CHECKING:
    from orchestrator.dns.certificates import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOptions:
    """`arn`: another certificate than the stack's own."""

    arn: str = ""


def certificate(
    stack: StackRef, options: CertificateOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Publish the certificate's validation records, and wait until ACM has issued it; nothing where it has."""
    chosen = options or CertificateOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        request = _request(execution, chosen.arn)
        certification = app.Certification(
            request, execution.settings, execution.environment, execution.clock, execution.access
        )
        execution.operation = certification
        execution.emit(RunStarted(stack=request.arn, command="certificate", version=__version__))
        return certification.run(execution.emit, execution.change).outcome

    return perform("certificate", stack, work, emit=emit, caller=caller, recorded=True)


def _request(execution: Execution, arn: str) -> Request:
    from orchestrator.dns import certificates

    given = execution.environment.get(certificates.VARIABLE)
    if given and not execution.contract_given:
        request = certificates.request_from(given)
        return request.model_copy(update={"arn": arn}) if arn else request
    return certificates.request_of(execution.contract(), arn)
