"""`orchestrate certificate`: prove to ACM that the names are ours, and wait until it has issued."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, certificate_options, contract_option

if TYPE_CHECKING:
    from orchestrator.certificates import Request
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@click.option("--arn", metavar="ARN", help="A certificate other than the stack's own.")
@contract_option
@certificate_options
def certificate(arn: str | None, contract: str | None, **given: Any) -> None:
    """Publish the certificate's validation records, and wait until ACM has issued it; nothing where it has.

    Which one, and where its names' DNS is, comes from ORCHESTRATE_CERTIFICATE (the hook in terraform/), else from the
    contract: --contract, ORCHESTRATE_CONTRACT, or `terraform output` in --chdir.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import __version__, app
        from orchestrator.events import RunStarted

        request = _request(conductor, contract)
        if arn:
            request = request.model_copy(update={"arn": arn})
        certification = app.Certification(
            request, conductor.settings, conductor.environment, conductor.clock, conductor.access
        )
        conductor.operation = certification
        conductor.emit(RunStarted(stack=request.arn, command="certificate", version=__version__))
        return certification.run(conductor.emit, conductor.change).outcome

    conduct("certificate", Options.of(given), work, recorded=True)


def _request(conductor: Conductor, contract: str | None) -> Request:
    from orchestrator import app, certificates

    given = conductor.environment.get(certificates.VARIABLE)
    if given and not contract:
        return certificates.request_from(given)
    stack = app.contract_from(contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn)
    return certificates.request_of(stack)
