"""`orchestrate certificate`: prove to ACM that the names are ours, and wait until it has issued."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import certificate_options, contract_option
from orchestrator.cli.shape import command


@command()
@click.option("--arn", metavar="ARN", help="Use this certificate instead of the stack's own.")
@contract_option
@certificate_options
def certificate(arn: str | None, **given: Any) -> None:
    """Publish the certificate's validation records and wait until ACM has issued it, unless it already has.

    ORCHESTRATE_CERTIFICATE (set by the hook in terraform/) says which certificate, and where the DNS of its names is
    managed; otherwise the contract does: --contract, ORCHESTRATE_CONTRACT, or `terraform output` in --chdir.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.certificate import CertificateOptions, certificate

    carry_out(certificate, CertificateOptions(arn=arn or ""), given, watched=True)
